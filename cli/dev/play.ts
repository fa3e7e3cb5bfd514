// `npm run play`: plays somebody else in the account of a running `npm start`, for watching what safeport makes of it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { act } from "./somebody.ts";

const HELP = `Usage: npm run play -- open|remove PORT [--group web] [--source 0.0.0.0/0]

Changes a security group of the running embedded cloud as somebody who does not know safeport: with the key \`foreign\`
of dev.json, through the cloud's own API.

  open PORT       authorize tcp PORT
  remove PORT     revoke tcp PORT
  --group NAME    group of the seeded account (web)
  --source BLOCK  from where (0.0.0.0/0)
  --help          this text
`;

interface DevRecord {
  readonly region: string;
  readonly foreign: { readonly accessKeyId: string; readonly accessKeySecret: string };
  readonly endpoints: { readonly ecs: string };
  readonly groups: readonly { readonly groupId: string; readonly name: string }[];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      group: { type: "string", default: "web" },
      source: { type: "string", default: "0.0.0.0/0" },
      help: { type: "boolean", default: false },
    },
  });
  const [what, portText = ""] = positionals;
  if (values.help || positionals.length === 0) {
    process.stdout.write(HELP);
    return;
  }
  if (what !== "open" && what !== "remove") throw new Error(`"${what}" is neither open nor remove. See --help.`);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) throw new Error(`"${portText}" is no port. Give a number from 1 to 65535.`);
  const record = readRecord();
  const group = record.groups.find(({ name }) => name === values.group);
  if (!group)
    throw new Error(`There is no group ${values.group}. Give one of ${record.groups.map((it) => it.name).join(", ")}.`);
  const { accessKeyId, accessKeySecret } = record.foreign;
  const who = {
    accessKeyId,
    accessKeySecret,
    ecs: record.endpoints.ecs,
    region: record.region,
    groupId: group.groupId,
  };
  await act(who, what, { port, source: values.source });
  process.stdout.write(
    `${what === "open" ? "opened" : "removed"} tcp ${port} for ${values.source} in ${values.group}\n`,
  );
}

function readRecord(): DevRecord {
  const file = join(process.env["SAFEPORT_HOME"] || ".safeport", "dev.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as DevRecord;
  } catch {
    throw new Error(`${file} cannot be read. Start the embedded cloud first: npm start.`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`play: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
