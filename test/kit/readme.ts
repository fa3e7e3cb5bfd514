// The commands of the READMEs, run as they are printed.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./deployed-build.ts";

/** The shell blocks of a README's chapter, in order. */
export function blocks(file: string, heading: string): readonly string[] {
  const text = readFileSync(join(projectRoot, file), "utf8");
  const chapter = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands = ""]) => commands.trim());
}

/** Runs commands as a person at a terminal would: the input stays open. */
export function shell(
  commands: string,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", commands], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "ignore"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.on("close", (code) => resolve({ code, stdout }));
  });
}
