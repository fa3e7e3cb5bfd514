// `safeport probe`: finds out in a real account what public documents leave open, on a group of its own that goes again.
import { randomBytes } from "node:crypto";
import { environmentCredentials, readSettings } from "../../shared/config/settings.ts";
import { formatUtc } from "../../shared/domain/instant.ts";
import { listProbeWord } from "../../shared/domain/list-probe.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { type Bench, clear, EMPTY_LIST, experiments, LISTS_WORK } from "../probe/ecs-experiments.ts";
import { type CloudCalls, cloudCalls } from "../setup/cloud-call.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";

/** By both a group is known as a probe's own. */
const NAME = "safeport-probe";
const READABLE_TRIES = 40;
const DESCRIPTION = "safeport probe: empty, belongs to nobody, may be deleted";

export const probe: Command = {
  name: "probe",
  summary: "find out in an account what public documents leave open, on a group of its own",
  help: `Usage: safeport probe --vpc VPC [--only NAME[,NAME…]] [--json]

Makes a security group without members in that VPC, tries what the documents leave open, prints a table of switch and observed
value, and deletes the group. It changes nothing else, and what an interrupted run has left is deleted by the next one. About 150
calls. The switches are those of docs/local-cloud.md.

Needs SAFEPORT_REGION, ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET (and ALIBABA_CLOUD_SECURITY_TOKEN), and these
rights: ecs:CreateSecurityGroup, DeleteSecurityGroup, DescribeSecurityGroups, DescribeSecurityGroupAttribute, and Authorize-, Revoke- and
ModifySecurityGroup* on groups, and for emptyPrefixList Create-, Modify-, Delete- and DescribePrefixList*. Where that ends as "allowed", and
SAFEPORT_ACCOUNT_ID is set, it prints the word for SAFEPORT_LOCKDOWN_LISTS. safeport doctor --wake-up tells how late a wake-up comes.

Exit code 1 where an experiment could not be made.
`,
  async run(args, surroundings) {
    const { values } = readArguments(args, { vpc: { type: "string" }, only: { type: "string" } });
    const vpcId = values["vpc"];
    if (typeof vpcId !== "string") throw new UsageError("say --vpc and a VPC");
    const names = typeof values["only"] === "string" ? values["only"].split(",") : null;
    const unknown = names?.find((name) => !experiments.some((it) => it.name === name));
    if (unknown !== undefined) throw new UsageError(`there is no experiment ${unknown}`);
    const calls = callsOf(surroundings);
    await removeLeftovers(calls, surroundings);
    const results: { readonly switch: string; readonly observed: string | number | null; readonly failed?: string }[] =
      [];
    await withGroup(surroundings, calls, { vpcId }, async (bench) => {
      // Nothing else can be told from readings that are old: how old they may be comes first, and is waited for before each.
      const [lag, ...others] = experiments;
      let lagMs = 0;
      const patient: Bench = {
        ...bench,
        async call(action, parameters) {
          if (lagMs > 0 && action.startsWith("Describe")) await bench.sleep(lagMs * 2);
          return bench.call(action, parameters);
        },
      };
      const wanted = others.filter((it) => names?.includes(it.name) ?? true);
      for (const { name, run } of lag === undefined ? wanted : [lag, ...wanted]) {
        surroundings.err(`trying ${name}\n`);
        try {
          await clear(patient);
          const observed = await run(patient);
          if (name === lag?.name) lagMs = Number(observed) || 0;
          results.push({ switch: name, observed });
        } catch (error) {
          results.push({
            switch: name,
            observed: null,
            failed: error instanceof Error ? error.message : String(error),
          });
        }
      }
    });
    const lines = results.map(
      ({ switch: name, observed, failed }) => `${name.padEnd(30)} ${observed ?? `could not be tried: ${failed}`}`,
    );
    const lockdownLists = listWord(surroundings, results);
    if (lockdownLists !== null) lines.push(...(lockdownLists === "" ? ACCOUNT_MISSING : wordInWords(lockdownLists)));
    tell(surroundings, values, { json: { probes: results, lockdownLists: lockdownLists || null }, lines });
    return results.some(({ observed }) => observed === null) ? EXIT.failed : EXIT.ok;
  },
};

const ACCOUNT_MISSING = [
  "Prefix lists work for lockdowns. Set SAFEPORT_ACCOUNT_ID and run it again for the word that switches them on.",
];
const wordInWords = (word: string): readonly string[] => [
  `Prefix lists work for lockdowns, as far as calls can tell: SAFEPORT_LOCKDOWN_LISTS=${word}`,
  "No call shows what a packet meets: begin with one group whose host nobody needs, and connect to it, before and in a lockdown.",
];

/** The word that switches lists on; empty where it is not known for which account, and null where nothing was shown to work. */
function listWord(
  { env, clock }: Surroundings,
  results: readonly { readonly switch: string; readonly observed: string | number | null }[],
): string | null {
  if (!results.some((it) => it.switch === EMPTY_LIST && it.observed === LISTS_WORK)) return null;
  const { SAFEPORT_ACCOUNT_ID: account, SAFEPORT_REGION: region } = env;
  const day = formatUtc(clock.now()).slice(0, 10).replaceAll("-", "");
  return account && region ? listProbeWord(account, region, day) : "";
}

function callsOf({ env, clock }: Surroundings): CloudCalls {
  // Nothing but region and keys plays a part.
  const unused = { SAFEPORT_ACCOUNT_ID: "0", SAFEPORT_INSTALLATION: "probe", SAFEPORT_TABLESTORE_INSTANCE: "unused" };
  const configuration = readSettings({ ...unused, ...env, SAFEPORT_MARK_SECRET: "-".repeat(32) });
  const credentials = environmentCredentials(env);
  if (credentials === null)
    throw new Error("ALIBABA_CLOUD_ACCESS_KEY_ID or ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing. Set both.");
  return cloudCalls({ configuration, credentials, clock });
}

async function removeLeftovers(calls: CloudCalls, { err }: Surroundings): Promise<void> {
  const answer = await calls.ask(calls.ecs, "DescribeSecurityGroups", { SecurityGroupName: NAME, MaxResults: "100" });
  const list = (answer["SecurityGroups"] as { readonly SecurityGroup?: unknown } | undefined)?.SecurityGroup;
  for (const group of Array.isArray(list) ? (list as Readonly<Record<string, unknown>>[]) : []) {
    if (group["SecurityGroupName"] !== NAME || group["Description"] !== DESCRIPTION) continue;
    err(`deleting ${group["SecurityGroupId"]}, which an interrupted run has left\n`);
    try {
      await calls.ask(calls.ecs, "DeleteSecurityGroup", { SecurityGroupId: group["SecurityGroupId"] });
    } catch (error) {
      // A list may be older than a deletion.
      if (!(error instanceof CloudFailure) || error.kind !== "groupGone") throw error;
    }
  }
}

/** Calls about the group that is made here, and no other, until `work` has ended. */
async function withGroup<Result>(
  surroundings: Surroundings,
  calls: CloudCalls,
  order: { readonly vpcId: string; readonly enterprise?: true },
  work: (bench: Bench) => Promise<Result>,
): Promise<Result> {
  const { clock, err } = surroundings;
  const made = await calls.ask(calls.ecs, "CreateSecurityGroup", {
    ...{ VpcId: order.vpcId, SecurityGroupName: NAME, Description: DESCRIPTION },
    ClientToken: `safeport-probe-${randomBytes(8).toString("hex")}`,
    ...(order.enterprise ? { SecurityGroupType: "enterprise" } : {}),
  });
  const SecurityGroupId = made["SecurityGroupId"];
  if (typeof SecurityGroupId !== "string")
    throw new Error("The cloud made a group and did not say which. Run it again.");
  try {
    await untilReadable(
      () => calls.ask(calls.ecs, "DescribeSecurityGroupAttribute", { SecurityGroupId }),
      surroundings,
    );
    return await work({
      call: (action, parameters) => calls.ask(calls.ecs, action, { SecurityGroupId, ...parameters }),
      withEnterpriseGroup: async (inner) => {
        try {
          return await withGroup(surroundings, calls, { vpcId: order.vpcId, enterprise: true }, inner);
        } catch (error) {
          if (error instanceof CloudFailure && error.operation === "CreateSecurityGroup") return null;
          throw error;
        }
      },
      sleep: (ms) => clock.sleep(ms),
      now: () => clock.now(),
      token: () => `safeport-probe-${randomBytes(8).toString("hex")}`,
    });
  } finally {
    await calls.ask(calls.ecs, "DeleteSecurityGroup", { SecurityGroupId }).catch((error: unknown) => {
      err(
        `${SecurityGroupId} could not be deleted (${error instanceof Error ? error.message : error}); the next run tries again\n`,
      );
    });
  }
}

/** A new group may take a moment until it is read. */
async function untilReadable(read: () => Promise<unknown>, { clock }: Surroundings): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await read();
      return;
    } catch (error) {
      if (!(error instanceof CloudFailure) || error.kind !== "groupGone" || tries === READABLE_TRIES) throw error;
      await clock.sleep(500);
    }
  }
}
