// The setup command: reads the functions' own configuration and creates tables, the first policy and tokens.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { environmentCredentials, readSettings, SettingsError } from "../../shared/config/settings.ts";
import { makeCanaryGroup } from "./canary.ts";
import { newRoleTokens, setUpInstallation } from "./installation.ts";
import { PolicyFileError, policyTextOf } from "./policy-file.ts";

const HELP = `Usage: node dist/cli/setup.js [--policy FILE] [--tokens] [--token-days N] [--canary VPC]

Creates the tables that are missing, writes the first policy unless there is one, and, with --tokens, issues one token
for each role. It may be repeated: what is there stays as it is. Prints what it did as JSON.

  --policy FILE    policy file (YAML); without it, the shipped defaults
  --tokens         issue new tokens and print them: the only time they can be seen
  --token-days N   days until these tokens expire, 1 to 365 (90)
  --canary VPC     make the canary's group in this VPC unless there is one, and print its id for drift.canary.group of
                   the policy; the canary costs two writing calls and about six reading ones an hour, and no money
  --check          only check the policy file
  --help           this text

Reads the configuration of the functions from the environment (SAFEPORT_*), and the keys to work with from
ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      policy: { type: "string" },
      tokens: { type: "boolean", default: false },
      "token-days": { type: "string", default: "90" },
      canary: { type: "string" },
      check: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const policyText = values.policy === undefined ? policyTextOf("", "") : readPolicyFile(values.policy);
  if (values.check) {
    process.stdout.write(`${JSON.stringify({ policy: "valid" })}\n`);
    return;
  }
  const tokenDays = /^[1-9]\d{0,2}$/.test(values["token-days"]) ? Number(values["token-days"]) : Number.NaN;
  if (!(tokenDays <= 365)) throw new Error("--token-days is not a whole number from 1 to 365. Correct it.");
  const configuration = readSettings(process.env);
  const credentials = environmentCredentials(process.env);
  if (credentials === null)
    throw new Error("ALIBABA_CLOUD_ACCESS_KEY_ID or ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing. Set both.");
  const tokens = values.tokens ? newRoleTokens() : null;
  const report = await setUpInstallation({ configuration, credentials, policyText, tokens, tokenDays });
  const vpcId = values.canary;
  const canary = vpcId === undefined ? {} : { canary: await makeCanaryGroup({ configuration, credentials, vpcId }) };
  process.stdout.write(`${JSON.stringify({ ...report, ...canary, tokens: tokens ?? {} }, null, 2)}\n`);
}

function readPolicyFile(file: string): string {
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    throw new PolicyFileError(`${file}: cannot be read (${why}). Name an existing file with --policy.`);
  }
  return policyTextOf(yaml, file);
}

main().catch((error: unknown) => {
  const known = error instanceof SettingsError || error instanceof PolicyFileError || error instanceof Error;
  process.stderr.write(`safeport setup: ${known ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
