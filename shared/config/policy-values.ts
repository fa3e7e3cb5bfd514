// From the checked policy document to the values that the program works with. Without the schemas, which not every start needs.
import type * as z from "zod/mini";
import type { AccessPolicy, OidcIssuer } from "../domain/access-policy.ts";
import type { AlarmRule, LockdownPolicy } from "../domain/alarm.ts";
import { parseCidr } from "../domain/cidr.ts";
import { cloudPrincipalText } from "../domain/cloud-principal.ts";
import type { GrantPolicy, GrantRule } from "../domain/grant-policy.ts";
import type { NotificationPolicy, TargetKind } from "../domain/notification-policy.ts";
import type { Policy } from "../domain/policy.ts";
import { parsePortRange } from "../domain/port-range.ts";
import type { RecyclingPolicy, RuleMatch } from "../domain/recycling-policy.ts";
import type { Scope } from "../domain/scope.ts";
import type { accessSchema } from "./access-schema.ts";
import type { alarmsSchema, lockdownSchema } from "./alarm-schema.ts";
import type { PolicyDocument } from "./document-schema.ts";
import type { approvalSchema, breakGlassSchema, grantsSchema, personsSchema } from "./grant-schema.ts";
import type { notificationsSchema } from "./notifications-schema.ts";
import type { recyclingSchema } from "./recycling-schema.ts";

const DAY_MS = 86_400_000;

/** The policy in force from a checked document. `ownRegion` stands in where the document names no region. */
export function policyOf(document: PolicyDocument, version: number, ownRegion: string): Policy {
  const { lease, drift } = document;
  return {
    version,
    regions: document.regions.length > 0 ? document.regions : [ownRegion],
    defaultTarget: document.defaultTarget,
    lease: {
      periodMinMs: lease.periodMin * 1000,
      periodMaxMs: lease.periodMax * 1000,
      totalMaxMs: lease.totalMax * 1000,
      priority: lease.priority,
      sensitivePorts: lease.sensitivePorts,
      sourceWidthMax: lease.sourceWidthMax,
      portsMax: lease.portsMax,
      openMax: lease.openMax,
      startAheadMaxMs: lease.startAheadMax * 1000,
      endNotices: { fractions: lease.endNotices, lifetimeMinMs: lease.endNoticesFrom * 1000 },
      onInstanceStop: lease.onInstanceStop,
      destCidrIp: lease.destCidrIp,
    },
    groups: document.groups,
    access: accessPolicyOf(document.access),
    ...grantPolicyOf(document),
    drift: {
      unknownWriterWaitMs: drift.unknownWriterWait * 1000,
      revertsMax: drift.revertsMax,
      revertsWithinMs: drift.revertsWithin * 1000,
      percentPerPass: drift.percentPerPass,
      freeze: drift.freeze,
      canary: drift.canary && {
        groupId: drift.canary.group,
        region: drift.canary.region,
        withinMs: drift.canary.within * 1000,
      },
      foreignWidthMax: drift.foreignWidthMax,
    },
    foreignWriters: document.foreignWriters.map((writer) => ({
      ...writer,
      sources: writer.sources.flatMap((text) => parseCidr(text) ?? []),
    })),
    trustedPrincipals: document.trustedPrincipals.map((trusted) => ({
      ...trusted,
      principal: cloudPrincipalText(trusted.principal),
    })),
    templates: Object.fromEntries(
      Object.entries(document.templates).map(([name, rules]) => [
        name,
        rules.map((rule) => ({ ...rule, sources: rule.sources.length > 0 ? rule.sources : document.operators })),
      ]),
    ),
    operatorPath: document.operatorPath,
    alarms: alarmRulesOf(document.alarms),
    lockdown: lockdownPolicyOf(document.lockdown),
    notifications: notificationsOf(document.notifications),
    recycling: recyclingOf(document.recycling),
    limits: document.limits,
    trustedProxies: document.trustedProxies,
  };
}

/** What a checked document says of access, as values. */
function accessPolicyOf({ oidc, ...same }: z.output<typeof accessSchema>): AccessPolicy {
  const scopes: Readonly<Record<string, Scope>> = same.scopes;
  return {
    ...same,
    scopes,
    oidc: oidc.map(({ clockTolerance, ...issuer }): OidcIssuer => ({ ...issuer, clockToleranceS: clockTolerance })),
  };
}

/** The rules as the program uses them. */
const alarmRulesOf = (rules: z.output<typeof alarmsSchema>): readonly AlarmRule[] =>
  rules.map(({ do: action, scope, period: seconds, ...rule }) => ({
    ...rule,
    action,
    scope: scope === null ? null : scopeOf(scope),
    periodMs: seconds === null ? null : seconds * 1000,
  }));

type Lockdowns = z.output<typeof lockdownSchema>;

const scopeOf = (scope: Lockdowns["prefixLists"][number]): LockdownPolicy["prefixLists"][number] =>
  "tag" in scope ? { kind: "tag", tag: scope.tag } : { kind: "groups", groups: scope.groups };

/** What it says of lockdowns, as the program uses it. */
const lockdownPolicyOf = ({ period: seconds, prefixLists, ...lockdown }: Lockdowns): LockdownPolicy => ({
  ...lockdown,
  periodMs: seconds * 1000,
  prefixLists: prefixLists.map(scopeOf),
});

interface GrantDocument {
  readonly grants: z.output<typeof grantsSchema>;
  readonly approval: z.output<typeof approvalSchema>;
  readonly breakGlass: z.output<typeof breakGlassSchema>;
  readonly persons: z.output<typeof personsSchema>;
}

/** What a checked document says of grants, as values. */
function grantPolicyOf({ grants, approval, breakGlass, persons }: GrantDocument): GrantPolicy {
  return {
    grants: grants.map(ruleOf),
    approval: {
      ports: approval.ports.flatMap((text) => parsePortRange(text) ?? []),
      where: { groups: approval.groups, tags: approval.tags, applications: approval.applications },
      count: approval.count,
      decideWithinMs: approval.decideWithin * 1000,
      useWithinMs: approval.useWithin * 1000,
      issuerMayApprove: approval.issuerMayApprove,
      distinctIssuers: approval.distinctIssuers,
    },
    breakGlass: breakGlass && {
      persons: breakGlass.persons,
      roles: breakGlass.roles,
      periodMaxMs: breakGlass.periodMax * 1000,
      justifyWithinMs: breakGlass.justifyWithin * 1000,
    },
    persons,
  };
}

function ruleOf(rule: GrantDocument["grants"][number]): GrantRule {
  const { groups, tags, applications, ports, sources, periodMax, ticket, protocols, ...same } = rule;
  const isAnywhere = groups.length + tags.length + applications.length === 0;
  return {
    ...same,
    where: isAnywhere ? null : { groups, tags, applications },
    protocols: protocols.length === 0 ? null : protocols,
    ports: ports.length === 0 ? null : ports.flatMap((text) => parsePortRange(text) ?? []),
    sources: sources.length === 0 ? null : sources.flatMap((text) => parseCidr(text) ?? []),
    periodMaxMs: periodMax === null ? null : periodMax * 1000,
    isTicketNeeded: ticket === "needed",
  };
}

/**
 * Messages a minute that a target is sent, where the policy says nothing: below what the services allow.
 *
 * - DingTalk: 20 a minute for one robot, beyond it none for ten minutes
 *   (https://open.dingtalk.com/document/group/custom-robot-access).
 * - Feishu: 100 a minute and 5 a second for one robot
 *   (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).
 * - WeCom: 20 a minute for one robot (https://developer.work.weixin.qq.com/document/path/91770).
 * - Slack: one a second, short bursts beyond it (https://docs.slack.dev/apis/web-api/rate-limits).
 */
const PER_MINUTE: Readonly<Record<TargetKind, number>> = {
  dingtalk: 18,
  feishu: 90,
  wecom: 18,
  slack: 50,
  webhook: 600,
};

/** The values of a checked section. */
function notificationsOf(document: z.output<typeof notificationsSchema>): NotificationPolicy {
  return {
    targets: Object.entries(document.targets).map(([name, target]) => ({
      ...target,
      name,
      language: target.language ?? document.language,
      perMinute: target.perMinute ?? PER_MINUTE[target.kind],
    })),
    people: document.people,
    groups: document.groups,
    roles: document.roles,
    otherwise: document.otherwise,
    digestOver: document.digestOver,
    deadAfterMs: document.deadAfterDays * DAY_MS,
  };
}

/** The values of a checked `recycling`. */
function recyclingOf(document: z.output<typeof recyclingSchema>): RecyclingPolicy {
  const { collect, session } = document;
  return {
    groups: document.groups,
    noticeMs: document.notice * DAY_MS,
    quarantineMs: document.quarantine * DAY_MS,
    steps: document.steps,
    requeueAfterMs: document.requeueAfter * DAY_MS,
    exemptMaxMs: document.exemptMax * DAY_MS,
    watchEveryMs: document.watchEvery * 1000,
    ownerOtherwise: document.ownerOtherwise,
    windowDays: document.window,
    coverageMin: document.coverageMin,
    skippedMax: document.skippedMax,
    session,
    sources: document.sources,
    collect: {
      everyMs: collect.every * 1000,
      sliceMs: collect.slice * 1000,
      settleMs: collect.settle * 1000,
      rereadAfterMs: collect.rereadAfter * 1000,
      queriesPerDay: collect.queriesPerDay,
      metricCallsPerDay: collect.metricCallsPerDay,
    },
    probes: cidrsOf(document.probes),
    balancerSources: cidrsOf(document.balancerSources),
    balancers: document.balancers.map(({ loadBalancer, ...rest }) => ({ ...rest, loadBalancerId: loadBalancer })),
    neverClose: document.neverClose.map((it) => ({ ...matchOf(it), reason: it.reason })),
    exempt: document.exempt.map((it) => ({
      ...matchOf(it),
      owner: it.owner,
      reason: it.reason,
      until: Date.parse(`${it.until}T00:00:00Z`),
    })),
    seasonal: document.seasonal.map((it) => ({
      ...matchOf(it),
      owner: it.owner,
      reason: it.reason,
      windows: it.windows,
    })),
  };
}

const cidrsOf = (texts: readonly string[]) => texts.flatMap((text) => parseCidr(text) ?? []);

const matchOf = (it: {
  readonly groups: readonly string[];
  readonly protocol: string | null;
  readonly ports: string | null;
  readonly sources: readonly string[];
  readonly peers: readonly string[];
}): RuleMatch => ({
  groups: it.groups,
  protocol: it.protocol,
  ports: it.ports === null ? null : parsePortRange(it.ports),
  sources: cidrsOf(it.sources),
  peers: it.peers,
});
