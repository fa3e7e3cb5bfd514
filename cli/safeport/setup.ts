// `safeport setup`: shows or makes what an installation needs in the account beside its functions.
import { readFileSync } from "node:fs";
import { canaryCost, makeCanaryGroup } from "../setup/canary.ts";
import { ADMIN_TOKEN } from "../setup/installation-steps.ts";
import { PolicyFileError, policyTextOf } from "../setup/policy-file.ts";
import { trustPolicy } from "../setup/ram-policy.ts";
import { runSteps, type Step, type StepReport } from "../setup/steps.ts";
import { accountOf, stepsOf } from "./account.ts";
import { type Command, EXIT, readArguments, tell, UsageError } from "./command.ts";
import { refuseFunctionsOfOthers } from "./deployed-functions.ts";
import { refuseUnfitTables } from "./own-rules.ts";

export const setup: Command = {
  name: "setup",
  summary: "show or make tables, log project, role, alarms and the first admin's token",
  help: `Usage: safeport setup --plan | --apply [options]

  --plan             show what is there and what would be made, with the policy of the functions' role
  --apply            make it; what is there stays as it is, and it may be interrupted and run again
  --policy FILE      the first policy (YAML); without it, the shipped defaults
  --admin NAME       principal of the first admin, whose token is printed once (admin)
  --new-token        issue a further admin's token, as where the first was printed to nobody
  --token-days N     days until that token expires, 1 to 365 (90)
  --contacts GROUPS  contact groups of CloudMonitor that alarms are told to; without it, no alarms
  --webhook URL      address that alarms are posted to as well
  --no-role          leave RAM alone: somebody else makes the role, from the documents that --plan shows
  --canary VPC       make the canary's empty group in this VPC; its id goes into drift.canary.group of the policy;
                     --plan shows what it costs
  --json             for programs

Exit code 3: something is missing (--plan), or is there and cannot be made right.

Reads the functions' configuration (SAFEPORT_*, as s.yaml does) and the keys to work with: ALIBABA_CLOUD_ACCESS_KEY_ID,
ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN.
`,
  async run(args, surroundings) {
    const { values } = readArguments(args, {
      plan: { type: "boolean", default: false },
      apply: { type: "boolean", default: false },
      policy: { type: "string" },
      admin: { type: "string", default: "admin" },
      "token-days": { type: "string", default: "90" },
      contacts: { type: "string" },
      webhook: { type: "string" },
      "new-token": { type: "boolean", default: false },
      "no-role": { type: "boolean", default: false },
      canary: { type: "string" },
    });
    const apply = values["apply"] === true;
    if (apply === (values["plan"] === true)) throw new UsageError("say either --plan or --apply");
    const tokenDays = Number(/^[1-9]\d{0,2}$/.exec(String(values["token-days"]))?.[0]);
    if (!(tokenDays <= 365)) throw new UsageError("--token-days is not a whole number from 1 to 365");
    const account = accountOf(surroundings);
    const steps = stepsOf(surroundings, account, {
      tokenDays,
      policyText: policyTextFrom(values["policy"]),
      admin: String(values["admin"]),
      contacts: textOrNull(values["contacts"]),
      webhook: textOrNull(values["webhook"]),
    });
    const roles = values["no-role"] === true ? [] : steps.role;
    // The token comes last: of one that is made before something fails nobody would be told.
    const all = [...roles, ...steps.logs, ...steps.tables, ...steps.alarms, ...steps.first];
    const progress = (line: string): void => surroundings.err(`${line}\n`);
    await refuseUnfitTables(account);
    await refuseFunctionsOfOthers(surroundings, account);
    const vpcId = textOrNull(values["canary"]);
    const canary = apply && vpcId !== null ? await makeCanaryGroup({ ...account, vpcId }) : null;
    const found = await runSteps(all, { apply, progress });
    const reports = apply && values["new-token"] === true ? await withNewToken(found, steps.first) : found;
    const ram = { trust: trustPolicy, policy: steps.ramPolicy };
    const lines = [
      ...reports.map(inWords),
      ...(apply ? [] : ["policy of the functions' role:", JSON.stringify(steps.ramPolicy, null, 2)]),
      ...(vpcId === null ? [] : [`canary: ${canary ?? `missing, its empty group in ${vpcId}`}`]),
      ...(vpcId === null ? [] : canaryCost.map((line) => `canary costs: ${line}`)),
    ];
    const json = { steps: reports, ram, canary, ...(vpcId === null ? {} : { canaryCost }) };
    tell(surroundings, values, { json, lines });
    const isLeft = reports.some(({ state }) => state !== "ready" && state !== "made");
    return isLeft ? EXIT.waiting : EXIT.ok;
  },
};

/** The token's step once more, if it was made by an earlier run. */
async function withNewToken(reports: readonly StepReport[], steps: readonly Step[]): Promise<readonly StepReport[]> {
  const step = steps.find(({ id }) => id === ADMIN_TOKEN);
  return Promise.all(
    reports.map(async (report) => {
      if (report.id !== ADMIN_TOKEN || report.state !== "ready" || step === undefined) return report;
      const told = await step.make();
      return { ...report, state: "made" as const, ...(told === undefined ? {} : { told }) };
    }),
  );
}

const textOrNull = (value: string | boolean | undefined): string | null =>
  typeof value === "string" && value !== "" ? value : null;

function inWords({ id, state, what, told }: StepReport): string {
  const said = state === "ready" ? `${id}: ready` : state === "made" ? `${id}: made` : `${id}: ${state}, ${what}`;
  return told === undefined ? said : `${said}: ${told} (keep it: it cannot be shown again)`;
}

function policyTextFrom(file: string | boolean | undefined): string {
  if (typeof file !== "string") return policyTextOf("", "");
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    throw new PolicyFileError(`${file}: cannot be read (${why}). Name an existing file with --policy.`);
  }
  return policyTextOf(yaml, file);
}
