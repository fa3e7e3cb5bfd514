// The firewall port on ECS security groups.
import type { GroupRef, RuleId } from "../../domain/ids.ts";
import type { CallPriority, Firewall, GroupReading } from "../../ports/firewall.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { allPages, fields, incomplete, readAnswer, text } from "./ecs-answers.ts";
import { egressPermission, ingressPermission, ruleFromWire } from "./ecs-rule.ts";
import { answerDigest, formatDigest, parseDigest, rulesDigest, surelyLacks } from "./group-answer.ts";
import type { RequestModel, RpcCall, RpcClient } from "./rpc-client.ts";

const READ = "DescribeSecurityGroupAttribute";
const OPEN = "AuthorizeSecurityGroup";
const RULES_PER_PAGE = 1000;
const AUTHORIZE_MAX = 20;
const REVOKE_MAX = 100;
/** Groups whose egress rule ids are remembered. */
const GROUPS_REMEMBERED = 1000;

/**
 * Reads and writes rules. Ingress and egress rules have calls of their own, so a mixed batch is two calls; the second
 * one's token then ends in `-egress`. Which rules are egress is known from the last reading of the group in this process;
 * an id not seen there is taken for ingress.
 */
export function ecsFirewall(rpc: RpcClient): Firewall {
  const egressIds = new Map<string, ReadonlySet<RuleId>>();

  function remember(ref: GroupRef, reading: GroupReading): void {
    const key = `${ref.region}/${ref.groupId}`;
    egressIds.delete(key);
    const ids = new Set(
      reading.rules.flatMap((rule) => (rule.direction === "egress" && rule.id !== null ? [rule.id] : [])),
    );
    if (ids.size === 0) return;
    egressIds.set(key, ids);
    const oldest = egressIds.keys().next();
    if (egressIds.size > GROUPS_REMEMBERED && !oldest.done) egressIds.delete(oldest.value);
  }

  function isEgress(ref: GroupRef, id: RuleId): boolean {
    return egressIds.get(`${ref.region}/${ref.groupId}`)?.has(id) ?? false;
  }

  async function write(
    ref: GroupRef,
    action: string,
    priority: CallPriority,
    request: RpcCall["request"],
  ): Promise<void> {
    await rpc.call({ action, region: ref.region, priority, reading: false, request });
  }

  async function readPage(ref: GroupRef, priority: CallPriority, nextToken?: string): Promise<Buffer> {
    const { bytes } = await rpc.call({
      action: READ,
      region: ref.region,
      priority,
      reading: true,
      bytes: true,
      request: (models) =>
        new models.DescribeSecurityGroupAttributeRequest({
          regionId: ref.region,
          securityGroupId: ref.groupId,
          direction: "all",
          maxResults: RULES_PER_PAGE,
          nextToken,
        }),
    });
    if (!Buffer.isBuffer(bytes)) throw incomplete(READ, "the answer has no body");
    return bytes;
  }

  /** The whole group, whose first page has come. */
  async function readWhole(ref: GroupRef, priority: CallPriority, firstBytes: Buffer): Promise<GroupReading> {
    let isOnlyPage = true;
    const { items, first } = await allPages(READ, ["Permissions", "Permission"], async (nextToken) => {
      if (nextToken !== undefined) isOnlyPage = false;
      const page = readAnswer(READ, nextToken === undefined ? firstBytes : await readPage(ref, priority, nextToken));
      if (text(page["SecurityGroupId"]) !== ref.groupId) throw incomplete(READ, "the answer is of another group");
      return page;
    });
    const rules = items.map((item) => ruleFromWire(fields(item)));
    return {
      ref,
      vpcId: text(first["VpcId"]),
      innerAccessPolicy: text(first["InnerAccessPolicy"]).toLowerCase() === "drop" ? "drop" : "accept",
      rules,
      digest: formatDigest({ answer: isOnlyPage ? answerDigest(firstBytes) : null, rules: rulesDigest(rules) }),
    };
  }

  return {
    async readGroup(ref, priority) {
      const reading = await readWhole(ref, priority, await readPage(ref, priority));
      remember(ref, reading);
      return reading;
    },

    async glance(ref, { digest, mark }, priority) {
      const known = digest === null ? null : parseDigest(digest);
      const bytes = await readPage(ref, priority);
      if (known?.answer != null && answerDigest(bytes) === known.answer) return { kind: "same" };
      if (known === null && surelyLacks(bytes, ref, wordOf(mark))) return { kind: "other", marked: false };
      const { rules } = await readWhole(ref, priority, bytes);
      if (known?.rules === rulesDigest(rules)) return { kind: "same" };
      return { kind: "other", marked: rules.some((rule) => rule.description.startsWith(mark)) };
    },

    foreseeOpening: ({ region }, priority) => rpc.foresee?.(region, [READ, OPEN], priority),

    async authorize(ref, rules, token, priority) {
      refuseSize(OPEN, rules.length, AUTHORIZE_MAX);
      const [ingress, egress] = split(rules, (rule) => rule.spec.direction === "egress");
      const base = { regionId: ref.region, securityGroupId: ref.groupId };
      if (ingress.length > 0) {
        await write(
          ref,
          OPEN,
          priority,
          (models) =>
            new models.AuthorizeSecurityGroupRequest({
              ...base,
              clientToken: token,
              permissions: ingress.map(ingressPermission),
            }),
        );
      }
      if (egress.length > 0) {
        await write(
          ref,
          "AuthorizeSecurityGroupEgress",
          priority,
          (models) =>
            new models.AuthorizeSecurityGroupEgressRequest({
              ...base,
              clientToken: egressToken(token, ingress.length > 0),
              permissions: egress.map(egressPermission),
            }),
        );
      }
    },

    async revoke(ref, ruleIds, token, priority) {
      refuseSize("RevokeSecurityGroup", ruleIds.length, REVOKE_MAX);
      const [ingress, egress] = split(ruleIds, (id) => isEgress(ref, id));
      const base = { regionId: ref.region, securityGroupId: ref.groupId };
      if (ingress.length > 0) {
        await write(
          ref,
          "RevokeSecurityGroup",
          priority,
          (models) =>
            new models.RevokeSecurityGroupRequest({ ...base, clientToken: token, securityGroupRuleId: ingress }),
        );
      }
      if (egress.length > 0) {
        await write(
          ref,
          "RevokeSecurityGroupEgress",
          priority,
          (models) =>
            new models.RevokeSecurityGroupEgressRequest({
              ...base,
              clientToken: egressToken(token, ingress.length > 0),
              securityGroupRuleId: egress,
            }),
        );
      }
    },

    async modify(ref, ruleId, rule, token, priority) {
      const base = {
        regionId: ref.region,
        securityGroupId: ref.groupId,
        securityGroupRuleId: ruleId,
        clientToken: token,
      };
      const egress = rule.spec.direction === "egress";
      await write(
        ref,
        egress ? "ModifySecurityGroupEgressRule" : "ModifySecurityGroupRule",
        priority,
        (models): RequestModel =>
          egress
            ? new models.ModifySecurityGroupEgressRuleRequest({ ...base, ...egressPermission(rule) })
            : new models.ModifySecurityGroupRuleRequest({ ...base, ...ingressPermission(rule) }),
      );
    },

    skewMs: () => rpc.skewMs(),
  };
}

/** Nothing to write is refused too: ECS reads a request without rules as the deprecated single-rule form. */
function refuseSize(operation: string, size: number, max: number): void {
  if (size >= 1 && size <= max) return;
  throw new CloudFailure("invalid", operation, {
    message: `${operation}: ${size} rules in one call, allowed are 1 to ${max}`,
  });
}

/** The longest run of letters: the part of a mark that no JSON writer spells in two ways. */
function wordOf(mark: string): string {
  return (mark.match(/[A-Za-z]+/g) ?? []).reduce(
    (longest, word) => (word.length > longest.length ? word : longest),
    "",
  );
}

function egressToken(token: string, mixed: boolean): string {
  return mixed ? `${token}-egress` : token;
}

function split<Item>(items: readonly Item[], second: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter((item) => !second(item)), items.filter(second)];
}
