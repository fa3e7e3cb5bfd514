// What `safeport doctor` says of quotas: how often may be called, and whether one more group and one more rule would fit.
import { policyOfRow } from "../../shared/config/policy-schema.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
// biome-ignore lint/style/noRestrictedImports: doctor looks also where the functions, and so their API, are not well.
import { readPolicy } from "../../shared/store/policy.ts";
import { type CloudCalls, cloudCalls } from "../setup/cloud-call.ts";
import { stateOf } from "../setup/installation-steps.ts";
import type { Account } from "./account.ts";
import type { Finding } from "./finding.ts";
import { unlessGone } from "./own-rules.ts";

/** In and out, over all groups of one interface: published, and told by no call. A rule that names a list counts for the list's size. */
const RULES_PER_INTERFACE = 1000;
const GROUPS_PER_INTERFACE = 10;
/** From here on there may be no room for the rules of one lease or one lockdown. */
const NEARLY_FULL = 0.9;
/** How many of those that are full are named. */
const NAMED_MAX = 5;

/** The budget of calls, and for each region of the policy the quota of groups and how full the fullest interface is. */
export async function quotaFindings(calls: CloudCalls, account: Account): Promise<readonly Finding[]> {
  const findings: Finding[] = [await callBudget(calls, account)];
  for (const region of await regionsIn(account)) {
    const there = cloudCalls({ ...account, configuration: { ...account.configuration, region } });
    findings.push(await groupsThatFit(there, region), await rulesThatFit(there, region));
  }
  return findings;
}

/** Where safeport works: the regions of the policy in force, or its own before there is one. */
export async function regionsIn(account: Account): Promise<readonly string[]> {
  const { region } = account.configuration;
  const row = await unlessGone(readPolicy(stateOf(account)));
  return row === null ? [region] : policyOfRow(row, region).regions;
}

/** What Quota Center says of the ECS calls a minute, against the budget that is set. */
async function callBudget(calls: CloudCalls, { configuration }: Account): Promise<Finding> {
  const { callsPerMinute, region } = configuration;
  const check = "call budget";
  const name = "DescribeSecurityGroupAttribute";
  const quota = (await quotaOf(calls, region, "FlowControl", name))?.["TotalQuota"];
  const remedy = "Look up the API rate limits of ECS in Quota Center and set SAFEPORT_CALLS_PER_MINUTE to no more.";
  const set = `${callsPerMinute} calls a minute are set`;
  if (typeof quota !== "number")
    return { check, state: "unknown", found: `${set}; the quota could not be read`, remedy };
  const found = `${set}, ${quota} are allowed`;
  return callsPerMinute <= quota ? { check, state: "ok", found, remedy: "" } : { check, state: "fail", found, remedy };
}

/** Only the canary is a group of safeport's: where it has to be made anew there must be room for it. */
async function groupsThatFit(calls: CloudCalls, region: string): Promise<Finding> {
  const check = `groups that fit into ${region}`;
  const quota = await quotaOf(calls, region, "CommonQuota", "q_security-groups");
  const { TotalQuota: most, TotalUsage: used } = quota ?? {};
  const remedy = "Delete groups that no interface is in, or ask for more in Quota Center.";
  if (typeof most !== "number" || typeof used !== "number")
    return { check, state: "unknown", found: "the quota could not be read", remedy };
  const found = `${used} of ${most}`;
  return used < most * NEARLY_FULL
    ? { check, state: "ok", found, remedy: "" }
    : { check, state: "warn", found, remedy };
}

/** By the counts that the list of groups has; interfaces are asked for only where some could be full by them. */
async function rulesThatFit(calls: CloudCalls, region: string): Promise<Finding> {
  const check = `rules that fit onto interfaces in ${region}`;
  const remedy =
    "Delete rules that nobody needs there, or divide the group: what safeport is asked to open or to drop there is refused by the cloud.";
  try {
    const counts = new Map<string, number>();
    for (const group of await all(calls, "DescribeSecurityGroups", ["SecurityGroups", "SecurityGroup"], 100)) {
      const { SecurityGroupId: id, RuleCount: rules } = group;
      if (typeof rules !== "number") return { check, state: "unknown", found: "rules are not counted", remedy };
      counts.set(String(id), rules);
    }
    const largest = [...counts.values()].sort((one, other) => other - one).slice(0, GROUPS_PER_INTERFACE);
    const nearly = RULES_PER_INTERFACE * NEARLY_FULL;
    const most = largest.reduce((sum, rules) => sum + rules, 0);
    if (most < nearly) return { check, state: "ok", found: `none can have more than ${most} rules`, remedy: "" };
    const interfaces = await all(
      calls,
      "DescribeNetworkInterfaces",
      ["NetworkInterfaceSets", "NetworkInterfaceSet"],
      500,
    );
    const full = interfaces
      .map((it) => ({ id: String(it["NetworkInterfaceId"]), rules: rulesOf(it, counts) }))
      .filter(({ rules }) => rules >= nearly)
      .sort((one, other) => other.rules - one.rules);
    if (full.length === 0) return { check, state: "ok", found: `none has ${nearly} rules`, remedy: "" };
    const named = full.slice(0, NAMED_MAX).map(({ id, rules }) => `${id} has ${rules}`);
    const more = full.length > NAMED_MAX ? ` and ${full.length - NAMED_MAX} more have ${nearly} or more` : "";
    const isFull = (full[0]?.rules ?? 0) >= RULES_PER_INTERFACE;
    const found = `of ${RULES_PER_INTERFACE} rules ${named.join(", ")}${more}`;
    return { check, state: isFull ? "fail" : "warn", found, remedy };
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    return { check, state: "unknown", found: `${error.operation}: ${error.cloudCode ?? error.kind}`, remedy };
  }
}

function rulesOf(item: Readonly<Record<string, unknown>>, counts: ReadonlyMap<string, number>): number {
  const ids: unknown = Object(item["SecurityGroupIds"]).SecurityGroupId;
  return (Array.isArray(ids) ? ids : []).reduce((sum: number, id) => sum + (counts.get(String(id)) ?? 0), 0);
}

/** Null where it cannot be read, or is not told. */
async function quotaOf(
  calls: CloudCalls,
  region: string,
  category: "FlowControl" | "CommonQuota",
  code: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const answer = await calls.ask(calls.quotas, "ListProductQuotas", {
      ProductCode: "ecs",
      QuotaCategory: category,
      ...(category === "FlowControl" ? { KeyWord: code } : { QuotaActionCode: code }),
      Dimensions: [{ Key: "regionId", Value: region }],
    });
    const found = Array.isArray(answer["Quotas"]) ? (answer["Quotas"] as readonly Record<string, unknown>[]) : [];
    return found.find((it) => it["QuotaActionCode"] === code) ?? null;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    return null;
  }
}

/** Every item of a listing, page by page. */
async function all(
  calls: CloudCalls,
  action: string,
  [outer, inner]: readonly [string, string],
  MaxResults: number,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const items: Record<string, unknown>[] = [];
  for (let NextToken: unknown; ; ) {
    const answer = await calls.ask(calls.ecs, action, { MaxResults, NextToken });
    const page: unknown = Object(answer[outer])[inner];
    if (Array.isArray(page)) items.push(...page);
    if (!answer["NextToken"] || answer["NextToken"] === NextToken) return items;
    NextToken = answer["NextToken"];
  }
}
