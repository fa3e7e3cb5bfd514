// A record of ActionTrail to what it means for us. Nothing in a record is believed: it may be forged, torn or huge.
import type { GroupId, RuleId } from "../../domain/ids.ts";
import type { ListRef } from "../../domain/list-ref.ts";
import type { Direction } from "../../domain/rule.ts";
import type { Actor, Sighting, SightingKind } from "../../domain/sighting.ts";
import type { RuleCalls, SightedCall, TrailReading } from "../../ports/trail.ts";
import { type Fields, fields, text, textOrNull } from "./ecs-answers.ts";
import { objectOf, parametersOf, resourcesOf, valuesOf } from "./trail-parameters.ts";
import { permissionsOf, rulesOf } from "./trail-rules.ts";

const RECORD_LENGTH_MAX = 256 * 1024;
const GROUPS_MAX = 1000;
const RULES_MAX = 200;
/** Longest text that is kept of what is only shown. */
const SHOWN_LENGTH_MAX = 256;
/** Longest ClientToken of the cloud. */
const TOKEN_LENGTH_MAX = 64;

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const EVENT_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const REGION = /^[a-z0-9-]{2,40}$/;
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

const GROUP_TYPE = "ACS::ECS::SecurityGroup";

/** An API that says something of groups, and where it names them. */
interface Operation {
  readonly kind: SightingKind;
  /** Of the rules that it names. */
  readonly direction?: Direction;
  /** The parameters that name the groups, or the lists. */
  readonly named: readonly string[];
  readonly list?: ListRef["kind"];
  readonly listType?: string;
  /** It also changes other things: without a group it is none of our business. */
  readonly others?: true;
}

const GROUP = ["SecurityGroupId"];
const LIST = { kind: "list", listType: "ACS::ECS::PrefixList" } as const;
const PREFIX_LIST: Operation = { ...LIST, list: "prefix", named: ["PrefixListId"] };
const PORT_LIST: Operation = { ...LIST, list: "port", named: ["PortRangeListId"], listType: "ACS::ECS::PortRangeList" };
const TAGS: Operation = { kind: "group", named: ["ResourceId"], others: true };

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["AuthorizeSecurityGroup", { kind: "authorize", direction: "ingress", named: GROUP }],
  ["AuthorizeSecurityGroupEgress", { kind: "authorize", direction: "egress", named: GROUP }],
  ["RevokeSecurityGroup", { kind: "revoke", direction: "ingress", named: GROUP }],
  ["RevokeSecurityGroupEgress", { kind: "revoke", direction: "egress", named: GROUP }],
  ["ModifySecurityGroupRule", { kind: "modify", direction: "ingress", named: GROUP }],
  ["ModifySecurityGroupEgressRule", { kind: "modify", direction: "egress", named: GROUP }],
  // Of no published API of this version; what it would name is not known.
  ["ConfigureSecurityGroupPermissions", { kind: "modify", named: GROUP }],
  ["CreateSecurityGroup", { kind: "group", named: [] }],
  ["DeleteSecurityGroup", { kind: "group", named: GROUP }],
  ["ModifySecurityGroupPolicy", { kind: "group", named: GROUP }],
  ["ModifySecurityGroupAttribute", { kind: "group", named: GROUP }],
  ...["TagResources", "UntagResources", "AddTags", "RemoveTags"].map((name) => [name, TAGS] as const),
  ["JoinSecurityGroup", { kind: "membership", named: GROUP }],
  ["LeaveSecurityGroup", { kind: "membership", named: GROUP }],
  ["ModifyInstanceAttribute", { kind: "membership", named: ["SecurityGroupIds"], others: true }],
  ["ModifyNetworkInterfaceAttribute", { kind: "membership", named: GROUP, others: true }],
  ["ModifyPrefixList", PREFIX_LIST],
  ["DeletePrefixList", PREFIX_LIST],
  ["ModifyPortRangeList", PORT_LIST],
  ["DeletePortRangeList", PORT_LIST],
]);

/** The name of the API by which rules of a group are changed so. */
export function operationOf({ kind, direction }: RuleCalls): string {
  for (const [name, operation] of OPERATIONS)
    if (operation.kind === kind && operation.direction === direction) return name;
  throw new Error(`no API is known to ${kind} ${direction}`);
}

const unreadable = (why: string): TrailReading => ({ kind: "unreadable", why });

/** Reads the `data` of an event, or its JSON text, in every documented shape. Never throws. */
export function readTrailRecord(record: unknown, receivedAt: number): TrailReading {
  try {
    const length = typeof record === "string" ? record.length : (JSON.stringify(record) ?? "").length;
    if (length > RECORD_LENGTH_MAX) return unreadable("it is too large");
    return readFields(objectOf(record), receivedAt);
  } catch {
    // Nested deeper than the stack, or no JSON at all.
    return unreadable("it is no JSON that can be read");
  }
}

function readFields(record: Fields, receivedAt: number): TrailReading {
  const [eventId, name, time, region] = ["eventId", "eventName", "eventTime", "acsRegion"].map((field) =>
    text(record[field]),
  );
  if (!eventId || !EVENT_ID.test(eventId)) return unreadable("it has no usable eventId");
  if (!name || name.length > SHOWN_LENGTH_MAX) return unreadable("it has no usable eventName");
  const at = time && EVENT_TIME.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return unreadable("it has no usable eventTime");
  if (!region || !REGION.test(region)) return unreadable("it has no usable acsRegion");

  const operation = OPERATIONS.get(name);
  const isRead = text(record["eventRW"]).toLowerCase() === "read";
  if (operation === undefined || isRead || !isOfEcs(record)) return { kind: "other", operation: name };

  const parameters = parametersOf(record);
  if (operation === TAGS && text(parameters["ResourceType"]).toLowerCase() !== "securitygroup")
    return { kind: "other", operation: name };
  const named = namedIds(record, parameters, operation);
  const failed = textOrNull(record["errorCode"]);
  if (named.ids.length > GROUPS_MAX) return unreadable("it names too many groups");
  if (named.ids.length === 0 && operation.others) return { kind: "other", operation: name };
  if (named.ids.length === 0 && failed === null)
    return unreadable(`it names no ${operation.listType ? "list" : "group"}`);

  const written = writtenRules(parameters, operation);
  if (written === "too many") return unreadable("it names too many rules");
  // Where only the resources name groups, one of several may be the source of a rule: whose rules these are is not told.
  const told = named.guessed && named.ids.length > 1 && operation.direction ? { rules: null, ruleIds: [] } : written;
  const token = textOrNull(parameters["ClientToken"]);
  const call: SightedCall = {
    eventId,
    region,
    kind: operation.kind,
    operation: name,
    at,
    receivedAt,
    actor: actorOf(record),
    address: shown(record["sourceIpAddress"]),
    userAgent: shown(record["userAgent"]),
    requestId: shown(record["requestId"]),
    token: token === null || token.length > TOKEN_LENGTH_MAX ? null : token,
    failed: failed === null ? null : shown(failed),
    ...told,
    confirmed: false,
    settled: false,
  };
  const { list } = operation;
  const groups = list === undefined ? named.ids.map((id) => id as GroupId) : [];
  return {
    kind: "call",
    call,
    sightings: groups.map((groupId): Sighting => ({ ...call, groupId })),
    createdGroup: name === "CreateSecurityGroup" && failed === null ? (groups[0] ?? null) : null,
    lists: list === undefined ? [] : named.ids.map((listId) => ({ region, kind: list, listId })),
    accountId: shown(record["recipientAccountId"]),
  };
}

/** By the name of the service, else by the host that was called. */
function isOfEcs(record: Fields): boolean {
  const service = text(record["serviceName"]);
  return service === "" ? /^ecs[.-]/i.test(text(record["eventSource"])) : service.toLowerCase() === "ecs";
}

/** What the call is about, by its parameters, else by its answer, else by the resources that the record refers to. */
function namedIds(record: Fields, parameters: Fields, { named, listType }: Operation) {
  const usable = (ids: readonly string[]) => ids.filter((id) => ID.test(id));
  const asked = usable(named.flatMap((name) => valuesOf(parameters, name)));
  if (asked.length > 0) return { ids: asked, guessed: false };
  const made = named.length === 0 ? usable(valuesOf(objectOf(record["responseElements"]), "SecurityGroupId")) : [];
  if (made.length > 0) return { ids: made, guessed: false };
  return { ids: usable(resourcesOf(record, listType ?? GROUP_TYPE)), guessed: true };
}

function writtenRules(
  parameters: Fields,
  { kind, direction }: Operation,
): Pick<Sighting, "rules" | "ruleIds"> | "too many" {
  if (kind !== "authorize" && kind !== "revoke" && kind !== "modify") return { rules: [], ruleIds: [] };
  if (direction === undefined) return { rules: null, ruleIds: [] };
  const ruleIds = valuesOf(parameters, "SecurityGroupRuleId").flatMap((id) => (ID.test(id) ? [id as RuleId] : []));
  const permissions = permissionsOf(parameters);
  if (ruleIds.length > RULES_MAX || (permissions?.length ?? 0) > RULES_MAX) return "too many";
  if (permissions === null) return { rules: null, ruleIds };
  const isByIdAlone = kind === "revoke" && ruleIds.length > 0;
  if (permissions.length === 0) return { rules: isByIdAlone ? [] : null, ruleIds };
  return { rules: rulesOf(permissions, direction, kind === "modify"), ruleIds };
}

function actorOf(record: Fields): Actor {
  const identity = fields(record["userIdentity"]);
  return {
    type: shown(identity["type"]),
    principalId: shown(identity["principalId"]),
    name: shown(identity["userName"]),
    accountId: shown(identity["accountId"]),
  };
}

/** As people are to read it: no character breaks a line of the record or turns its direction. */
function shown(value: unknown): string {
  return text(value)
    .slice(0, SHOWN_LENGTH_MAX)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
