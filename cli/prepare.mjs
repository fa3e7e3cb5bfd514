// What `npm start` and `npm test` do first: look at Node, install what is missing, build. Plain Node without dependencies, and
// in words that Node 12 still reads, so that an old Node gets a sentence and no syntax error.
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const nodeWanted = [20, 11];

/** Ends the program with a sentence when this Node cannot run the project, then installs and builds. */
export async function prepare() {
  process.chdir(root);
  const problem = nodeProblem(process.versions.node);
  if (problem) stop(problem, 1);
  if (needsInstall()) {
    say("installing dependencies (first run, or package-lock.json has changed)");
    const [command, ...before] = npmCommand();
    await run("installing", command, [...before, "ci", "--no-audit", "--no-fund", "--include=dev"]);
  }
  say("building");
  await run("building", process.execPath, [join("cli", "build.mjs")]);
}

/** Why this version of Node will not do, or null. */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = nodeWanted;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return null;
  return `safeport needs Node ${nodeWanted.join(".")} or newer; this is ${version}. Install Node 20 LTS or newer and run the command again.`;
}

/** True when there are no dependencies yet, an install was cut short, or the lockfile is newer than they are. */
function needsInstall() {
  const installed = join("node_modules", ".package-lock.json");
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync("package-lock.json").mtimeMs;
}

/** The npm that started us, else the one on the path. */
function npmCommand() {
  const started = process.env.npm_execpath || "";
  if (started.endsWith("npm-cli.js")) return [process.execPath, started];
  return [process.platform === "win32" ? "npm.cmd" : "npm"];
}

/** Runs a step to its end, saying now and then that it still runs; ends the program with the step's own code when it fails. */
function run(step, command, args) {
  const startedAt = Date.now();
  const ticker = setInterval(() => say(`still ${step}, ${Math.round((Date.now() - startedAt) / 1000)} s`), 15_000);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit" });
    const forward = (signal) => child.kill(signal);
    process.once("SIGTERM", forward);
    process.once("SIGINT", forward);
    const done = (failure) => {
      clearInterval(ticker);
      process.off("SIGTERM", forward);
      process.off("SIGINT", forward);
      if (failure) stop(failure.words, failure.code);
      resolve();
    };
    child.once("error", (error) => done({ words: `${step} did not start: ${error.message}`, code: 1 }));
    child.once("exit", (code, signal) => {
      if (code === 0) return done();
      const signalCode = { SIGINT: 130, SIGTERM: 143 };
      done({ words: `${step} failed (${signal ?? `exit code ${code}`})`, code: code ?? signalCode[signal] ?? 1 });
    });
  });
}

function say(words) {
  process.stderr.write(`safeport: ${words}\n`);
}

function stop(words, code) {
  say(words);
  process.exit(code);
}
