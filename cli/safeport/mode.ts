// `safeport mode`: shows or sets what safeport may do.
import { apiOf } from "./api.ts";
import { type Command, EXIT, readArguments, tell, UsageError } from "./command.ts";

interface ModeAnswer {
  readonly mode: string;
  readonly since: string | null;
  readonly by: string | null;
  readonly reason: string;
  readonly plan: readonly string[];
}

const MODES = ["normal", "close-only", "halt"];

export const mode: Command = {
  name: "mode",
  summary: "show or set the mode: normal, close-only or halt",
  help: `Usage: safeport mode [normal|close-only|halt --reason TEXT] [--dry-run] [--json]

Without a mode, shows the one in force. close-only opens nothing and rolls nothing back; halt writes nothing but the ends
of what safeport opened. Leases end at their time in every mode.

Reads SAFEPORT_API and SAFEPORT_TOKEN.
`,
  async run(args, surroundings) {
    const { values, positionals } = readArguments(
      args,
      {
        reason: { type: "string" },
        "dry-run": { type: "boolean", default: false },
      },
      1,
    );
    const api = apiOf(surroundings);
    const [wanted] = positionals;
    if (wanted === undefined) {
      const body = await api.call<ModeAnswer>("GET", "/v1/mode");
      const who = body.by === null ? "" : `, set by ${body.by} at ${body.since}: ${body.reason}`;
      tell(surroundings, values, { json: body, lines: [`${body.mode}${who}`] });
      return EXIT.ok;
    }
    if (!MODES.includes(wanted)) throw new UsageError(`${wanted} is no mode`);
    const reason = values["reason"];
    if (typeof reason !== "string" || reason === "") throw new UsageError("--reason is missing");
    const path = `/v1/mode?dryRun=${values["dry-run"] === true}`;
    const body = await api.call<ModeAnswer>("PUT", path, { mode: wanted, reason });
    const lines = body.plan.length > 0 ? body.plan : [`The mode is ${body.mode} already.`];
    tell(surroundings, values, { json: body, lines });
    return EXIT.ok;
  },
};
