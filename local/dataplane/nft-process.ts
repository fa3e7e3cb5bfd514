// Runs the `nft` program and finds out whether it can be used here.

import { spawn } from "node:child_process";

/** Feeds a script to `nft -f -`; rejects with what nft printed when it is refused. */
export function loadScript(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
    let printed = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    child.on("error", reject);
    child.stdin.on("error", () => undefined); // A child that died early reports through its exit code.
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`nft refused the rules (exit ${code}): ${printed.trim().slice(0, 2000)}`));
    });
    child.stdin.end(script);
  });
}

/** Why nft cannot be used, or undefined when it can. Creates and deletes a table of its own to know. */
export async function nftUnusable(tableName: string): Promise<string | undefined> {
  if (process.platform !== "linux") return "nftables exists on Linux alone";
  const probe = `${tableName}_probe`;
  try {
    await loadScript(
      [
        `table inet ${probe} {`,
        "  chain input {",
        "    type filter hook input priority 0; policy accept;",
        "    ip daddr != 127.0.0.0/8 accept",
        "    ip saddr { 192.0.2.0/24, 198.51.100.1 } tcp dport { 1, 3-4 } ct state established ct direction reply accept",
        "  }",
        "}",
        "",
      ].join("\n"),
    );
    await loadScript(`delete table inet ${probe}\n`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Removes the table; no error when it is not there. */
export function removeTable(tableName: string): Promise<void> {
  return loadScript(`add table inet ${tableName}\ndelete table inet ${tableName}\n`);
}
