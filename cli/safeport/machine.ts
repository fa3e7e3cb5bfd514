// `safeport run`: controls an account from this machine, without functions or tables in the cloud.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { policyTextOf } from "../setup/policy-file.ts";
import { type Command, EXIT, readArguments, UsageError } from "./command.ts";

const PORT = "9000";

/** Where a one-machine installation keeps its state, unless it is told. */
function homeOf(value: unknown, env: Readonly<Record<string, string | undefined>>): string {
  return (typeof value === "string" && value) || env["SAFEPORT_HOME"] || join(homedir(), ".safeport");
}

export const machine: Command = {
  name: "run",
  summary: "control the account from this machine, with the state in a folder here",
  help: `Usage: safeport run [options]

  --home DIR      folder of the state, for its owner alone ($SAFEPORT_HOME, or ~/.safeport); new, empty, or of an earlier run
  --port N        port of the API (${PORT}); 0 for any
  --host ADDRESS  address it listens on (127.0.0.1); put a proxy that speaks TLS before anything else
  --policy FILE   the first policy (YAML); without it, the shipped defaults
  --admin NAME    principal of the first admin, whose token is printed once (admin)
  --new-token     print a further token for that admin
  --trail-seconds N  how often the account's trail is asked for calls that somebody made (15; 1 to 600)

Needs SAFEPORT_REGION and SAFEPORT_ACCOUNT_ID, and keys from the standard chain: environment, OIDC, profile, or the machine's role.
What safeport setup --plan prints for the functions' role is what the keys have to be allowed; ots: and fc: actions are not needed.
Says "ready" when it is. Ends on SIGINT and SIGTERM, after what runs has come to its end; a second signal ends it at once.
`,
  async run(args, surroundings) {
    const { values } = readArguments(args, {
      home: { type: "string" },
      port: { type: "string", default: PORT },
      host: { type: "string", default: "127.0.0.1" },
      policy: { type: "string" },
      admin: { type: "string", default: "admin" },
      "new-token": { type: "boolean", default: false },
      "trail-seconds": { type: "string", default: "15" },
    });
    const port = Number(/^\d{1,5}$/.exec(String(values["port"]))?.[0]);
    if (!(port <= 65_535)) throw new UsageError("--port is not a whole number from 0 to 65535");
    const trailS = Number(/^[1-9]\d{0,2}$/.exec(String(values["trail-seconds"]))?.[0]);
    if (!(trailS <= 600)) throw new UsageError("--trail-seconds is not a whole number from 1 to 600");
    const { env, out, err, stopped } = surroundings;
    const policy = values["policy"];
    const policyText =
      typeof policy === "string" ? policyTextOf(readFileSync(policy, "utf8"), policy) : policyTextOf("", "");
    const { startMachine } = await machineModule();
    const running = await startMachine({
      home: homeOf(values["home"], env),
      host: String(values["host"]),
      port,
      env,
      dist: join(__dirname, ".."),
      serverlessFile: join(__dirname, "..", "..", "s.yaml"),
      policyText,
      admin: String(values["admin"]),
      newToken: values["new-token"] === true,
      trailEveryMs: trailS * 1000,
      log: (text) => err(`${text.trimEnd()}\n`),
    });
    out(`safeport ${running.installation} at ${running.url}\n`);
    const webhook =
      running.alarmPath === null ? "none, by SAFEPORT_ALARM_SECRETS" : `${running.url}${running.alarmPath}`;
    out(`alarm webhook: ${webhook}\n`);
    if (running.token !== null) out(`admin token: ${running.token} (keep it: it cannot be shown again)\n`);
    out("ready\n");
    await stopped;
    err("stopping: what runs comes to its end\n");
    await running.stop();
    return EXIT.ok;
  },
};

/** Loaded when it is asked for: it alone needs the state's engine, which is compiled for each kind of machine. */
async function machineModule(): Promise<typeof import("../machine/machine.ts")> {
  try {
    return await import("../machine/machine.ts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(
      "The package libsql is not installed. Run npm install -g libsql, or install safeport with optional packages.",
    );
  }
}
