// What public documents leave open about security groups, found out by calls on a group of one's own. The names are those of the
// embedded cloud's switches (docs/local-cloud.md), so that an answer says which switch is the real service's.
import { CloudFailure } from "../../shared/ports/firewall.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** The probe's own group, and nothing else. */
export interface Bench {
  /** Calls about the group: its id goes along. Throws CloudFailure. */
  call(action: string, parameters?: Parameters): Promise<Readonly<Record<string, unknown>>>;
  /** A group of the enterprise kind that goes when `work` has ended; null where none can be made. */
  withEnterpriseGroup<Result>(work: (bench: Bench) => Promise<Result>): Promise<Result | null>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  /** A ClientToken that nobody has used. */
  readonly token: () => string;
}

export interface Experiment {
  readonly name: string;
  /** In which words the answer is one of the switch's, or what else was seen. */
  run(bench: Bench): Promise<string | number>;
}

const MISSING_RULE = "sgr-bp000000000000000000";
const READ_WAIT_MS = 5000;

/** A rule as a call takes it. */
const rule = (port: number, more: Parameters = {}): Parameters => ({
  IpProtocol: "TCP",
  PortRange: `${port}/${port}`,
  SourceCidrIp: "203.0.113.0/24",
  Policy: "accept",
  Priority: "1",
  ...more,
});

interface SeenRule {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function rulesOf(bench: Bench, direction: "ingress" | "egress" = "ingress"): Promise<readonly SeenRule[]> {
  const answer = await bench.call("DescribeSecurityGroupAttribute", { Direction: direction, NicType: "intranet" });
  const list = (answer["Permissions"] as { readonly Permission?: unknown } | undefined)?.Permission;
  const all = Array.isArray(list) ? (list as Readonly<Record<string, unknown>>[]) : [];
  return all.map((fields) => ({ id: String(fields["SecurityGroupRuleId"]), fields }));
}

/** The experiment that has to end so for lockdowns to use prefix lists. */
export const EMPTY_LIST = "emptyPrefixList";
export const LISTS_WORK = "allowed";
const LIST_NAME = "safeport-probe";
/** Of a call that is not about the group. */
const NO_GROUP = { SecurityGroupId: undefined };

/** The probe's own lists: this run's, and what an interrupted one has left. */
async function listsOf(bench: Bench): Promise<readonly string[]> {
  const answer = await bench.call("DescribePrefixLists", { ...NO_GROUP, PrefixListName: LIST_NAME, MaxResults: 100 });
  const list = (answer["PrefixLists"] as { readonly PrefixList?: unknown } | undefined)?.PrefixList;
  const all = Array.isArray(list) ? (list as Readonly<Record<string, unknown>>[]) : [];
  return all.filter((it) => it["PrefixListName"] === LIST_NAME).map((it) => String(it["PrefixListId"]));
}

async function removeLists(bench: Bench): Promise<void> {
  for (const PrefixListId of await listsOf(bench)) await bench.call("DeletePrefixList", { ...NO_GROUP, PrefixListId });
}

async function entriesOf(bench: Bench, PrefixListId: string | undefined): Promise<number> {
  const answer = await bench.call("DescribePrefixListAttributes", { ...NO_GROUP, PrefixListId });
  const list = (answer["Entries"] as { readonly Entry?: unknown } | undefined)?.Entry;
  return Array.isArray(list) ? list.length : 0;
}

const authorize = (bench: Bench, rules: readonly Parameters[], more: Parameters = {}) =>
  bench.call("AuthorizeSecurityGroup", { Permissions: rules, ...more });

/** The cloud's code of a refusal; null where there was none. */
async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (!(error instanceof CloudFailure) || error.cloudCode === null) throw error;
    return error.cloudCode;
  }
}

/** Takes every rule out, so that no experiment sees another's. */
export async function clear(bench: Bench): Promise<void> {
  for (const [direction, action] of [
    ["ingress", "RevokeSecurityGroup"],
    ["egress", "RevokeSecurityGroupEgress"],
  ] as const) {
    const rules = await rulesOf(bench, direction);
    if (rules.length > 0) await bench.call(action, { SecurityGroupRuleId: rules.map(({ id }) => id) });
  }
}

const only = async (bench: Bench): Promise<SeenRule> => {
  const [found] = await rulesOf(bench);
  if (found === undefined) throw new Error("the rule that was written cannot be read");
  return found;
};

/** The rules after a second one was written that differs from the first in `more` alone. */
async function twice(bench: Bench, more: Parameters): Promise<readonly SeenRule[]> {
  await authorize(bench, [rule(10_001, { Description: "one" })]);
  await codeOf(authorize(bench, [rule(10_001, { Description: "one", ...more })]));
  return rulesOf(bench);
}

/** The first tells how old a reading may be, without which no other means anything. */
export const experiments: readonly Experiment[] = [
  {
    name: "readAfterWriteMs",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      const from = bench.now();
      while ((await rulesOf(bench)).length === 0) {
        if (bench.now() - from > READ_WAIT_MS) return `more than ${READ_WAIT_MS}`;
        await bench.sleep(100);
      }
      return bench.now() - from < 100 ? 0 : bench.now() - from;
    },
  },
  {
    name: "revokeMissingId",
    run: async (bench) =>
      (await codeOf(bench.call("RevokeSecurityGroup", { SecurityGroupRuleId: [MISSING_RULE] }))) ?? "success",
  },
  {
    name: "revokeBatchWithMissingId",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      const { id } = await only(bench);
      await codeOf(bench.call("RevokeSecurityGroup", { SecurityGroupRuleId: [id, MISSING_RULE] }));
      return (await rulesOf(bench)).length === 0 ? "valid-deleted" : "none-deleted";
    },
  },
  {
    name: "revokePermissionsNoMatch",
    run: async (bench) =>
      (await codeOf(bench.call("RevokeSecurityGroup", { Permissions: [rule(10_009)] }))) ?? "success",
  },
  {
    name: "authorizeDescriptionDiffers",
    async run(bench) {
      const rules = await twice(bench, { Description: "two" });
      if (rules.length > 1) return "second-rule";
      return rules[0]?.fields["Description"] === "two" ? "updated" : "no-op";
    },
  },
  {
    name: "authorizePriorityDiffers",
    run: async (bench) => ((await twice(bench, { Priority: "2" })).length > 1 ? "second-rule" : "no-op"),
  },
  {
    name: "authorizeBatch",
    async run(bench) {
      const refused = await codeOf(authorize(bench, [rule(10_001), rule(0, { PortRange: "70000/70001" })]));
      if (refused === null) return "both accepted";
      return (await rulesOf(bench)).length === 0 ? "all-or-nothing" : "prefix";
    },
  },
  {
    name: "modifyOmitted",
    async run(bench) {
      await authorize(bench, [rule(10_001, { Policy: "drop", Priority: "5" })]);
      const { id } = await only(bench);
      const { IpProtocol, PortRange, SourceCidrIp } = rule(10_001);
      const rest = { IpProtocol, PortRange, SourceCidrIp, Description: "changed" };
      await bench.call("ModifySecurityGroupRule", { SecurityGroupRuleId: id, ...rest });
      const { fields } = await only(bench);
      const isKept = /drop/i.test(String(fields["Policy"])) && Number(fields["Priority"]) === 5;
      return isKept ? "keep" : "reset";
    },
  },
  {
    name: "ipv4Stored",
    async run(bench) {
      await authorize(bench, [rule(10_001, { SourceCidrIp: "203.0.113.7" })]);
      const bare = (await only(bench)).fields["SourceCidrIp"];
      await clear(bench);
      await authorize(bench, [rule(10_001, { SourceCidrIp: "198.51.100.77/24" })]);
      const bits = (await only(bench)).fields["SourceCidrIp"];
      if (bits === "198.51.100.0/24") return "host-bits-cleared";
      return bare === "203.0.113.7/32" ? "slash-32-added" : "as-sent";
    },
  },
  {
    name: "bareVersusSlash32",
    async run(bench) {
      await authorize(bench, [rule(10_001, { SourceCidrIp: "203.0.113.7" })]);
      await codeOf(authorize(bench, [rule(10_001, { SourceCidrIp: "203.0.113.7/32" })]));
      return (await rulesOf(bench)).length > 1 ? "different" : "same";
    },
  },
  {
    name: "destCidrIp",
    async run(bench) {
      const refused = await codeOf(authorize(bench, [rule(10_001, { DestCidrIp: "10.255.255.5/32" })]));
      if (refused !== null) return "refused";
      const stored = (await only(bench)).fields["DestCidrIp"];
      // What a packet meets is seen on a host alone.
      return stored ? "stored: honoured or ignored" : "dropped";
    },
  },
  {
    name: "clientTokenScope",
    async run(bench) {
      const ClientToken = bench.token();
      await authorize(bench, [rule(10_001)], { ClientToken });
      const { id } = await only(bench);
      const refused = await codeOf(bench.call("RevokeSecurityGroup", { SecurityGroupRuleId: [id], ClientToken }));
      return refused === null ? "api" : "account";
    },
  },
  {
    name: "revokeOtherDirection",
    async run(bench) {
      const { SourceCidrIp: _, ...fields } = rule(10_001, { DestCidrIp: "203.0.113.0/24" });
      await bench.call("AuthorizeSecurityGroupEgress", { Permissions: [fields] });
      const [found] = await rulesOf(bench, "egress");
      await codeOf(bench.call("RevokeSecurityGroup", { SecurityGroupRuleId: [found?.id ?? ""] }));
      const isLeft = (await rulesOf(bench, "egress")).some(({ id }) => id === found?.id);
      return isLeft ? "unknown-id" : "revoked";
    },
  },
  {
    name: "revokePriority",
    async run(bench) {
      await authorize(bench, [rule(10_001, { Priority: "5" })]);
      await codeOf(bench.call("RevokeSecurityGroup", { Permissions: [rule(10_001)] }));
      return (await rulesOf(bench)).length === 0 ? "ignored" : "matched";
    },
  },
  {
    name: "duplicatePermissions",
    async run(bench) {
      const both = [rule(10_001, { Description: "one" }), rule(10_001, { Description: "two" })];
      return (await codeOf(authorize(bench, both))) === null ? "same-rule-and-description" : "same-rule";
    },
  },
  {
    name: "modifyMissingId",
    run: async (bench) =>
      (await codeOf(bench.call("ModifySecurityGroupRule", { SecurityGroupRuleId: MISSING_RULE, ...rule(10_001) }))) ??
      "success",
  },
  {
    name: "modifiedRule",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      const { id } = await only(bench);
      const fields = rule(10_001, { Description: "changed" });
      await bench.call("ModifySecurityGroupRule", { SecurityGroupRuleId: id, ...fields });
      return (await only(bench)).id === id ? "same-id" : "new-id";
    },
  },
  {
    name: "allPortsOfTcp",
    run: async (bench) =>
      (await codeOf(authorize(bench, [rule(0, { PortRange: "-1/-1" })]))) === null ? "accepted" : "refused",
  },
  {
    name: "icmpv6",
    async run(bench) {
      const { SourceCidrIp: _, ...fields } = rule(0, { IpProtocol: "ICMPv6", PortRange: "-1/-1" });
      const refused = await codeOf(authorize(bench, [{ ...fields, Ipv6SourceCidrIp: "2001:db8::/64" }]));
      return refused === null ? "accepted" : "refused";
    },
  },
  {
    name: "enterpriseDrop",
    run: async (bench) =>
      (await bench.withEnterpriseGroup(async (other) =>
        (await codeOf(authorize(other, [rule(10_001, { Policy: "drop" })]))) === null ? "accepted" : "refused",
      )) ?? "no enterprise group could be made",
  },
  {
    name: "listUnknownGroup",
    run: async (bench) =>
      (await codeOf(bench.call("DescribeSecurityGroups", { SecurityGroupId: "sg-bp00000000000000000" }))) ?? "empty",
  },
  {
    name: "ruleOrder",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      await bench.sleep(1500);
      await authorize(bench, [rule(10_002)]);
      return (await only(bench)).fields["PortRange"] === "10001/10001" ? "oldest-first" : "newest-first";
    },
  },
  {
    name: "priorityForm",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      return typeof (await only(bench)).fields["Priority"];
    },
  },
  {
    name: "unusedSourcePortRange",
    async run(bench) {
      await authorize(bench, [rule(10_001)]);
      return String((await only(bench)).fields["SourcePortRange"] ?? "");
    },
  },
  {
    name: EMPTY_LIST,
    async run(bench) {
      await removeLists(bench);
      const made = { PrefixListName: LIST_NAME, AddressFamily: "IPv4", MaxEntries: 2, ClientToken: bench.token() };
      if ((await codeOf(bench.call("CreatePrefixList", { ...NO_GROUP, ...made }))) !== null) return "not-created";
      try {
        const [PrefixListId] = await listsOf(bench);
        const { SourceCidrIp: _, ...fields } = rule(10_001, { Policy: "drop", SourcePrefixListId: PrefixListId });
        if ((await codeOf(authorize(bench, [fields]))) !== null) return "not-named";
        const change = (more: Parameters) => bench.call("ModifyPrefixList", { ...NO_GROUP, PrefixListId, ...more });
        // Everybody, as a lockdown would have it.
        const halves = [{ Cidr: "0.0.0.0/1" }, { Cidr: "128.0.0.0/1" }];
        await change({ AddEntry: halves });
        if ((await entriesOf(bench, PrefixListId)) !== halves.length) return "not filled by what was added";
        if ((await codeOf(change({ RemoveEntry: halves }))) !== null) return "never-emptied";
        return (await entriesOf(bench, PrefixListId)) === 0 ? LISTS_WORK : "not emptied by what was removed";
      } finally {
        await clear(bench);
        await removeLists(bench);
      }
    },
  },
];
