// Records of ActionTrail in every shape that is documented, and in some that are not.
import { describe, expect, it } from "vitest";
import { readTrailRecord } from "../../../shared/adapters/alibaba/trail-record.ts";
import { parseCidr } from "../../../shared/domain/cidr.ts";
import type { TrailReading } from "../../../shared/ports/trail.ts";
import { CALLED_AT, type Json, sshFromOne, trailRecord, withoutResources } from "../../kit/trail-records.ts";

const RECEIVED_AT = CALLED_AT + 3_000;

type Call = Extract<TrailReading, { kind: "call" }>;

function callOf(record: unknown): Call {
  const reading = readTrailRecord(record, RECEIVED_AT);
  if (reading.kind !== "call") throw new Error(JSON.stringify(reading));
  return reading;
}

const cidr = parseCidr("203.0.113.7/32");
const ssh = {
  direction: "ingress",
  protocol: "tcp",
  ports: { kind: "range", range: { from: 22, to: 22 } },
  peer: { kind: "cidr", cidr },
  policy: "accept",
  priority: 1,
  sourcePorts: { kind: "any" },
  dest: null,
};

/** The record with all its parameters in another form. */
function reshaped(form: (parameters: Json) => Json, record: Json = trailRecord()): Json {
  const { requestParameters, ...others } = record;
  return { ...others, ...form(requestParameters as Json) };
}

const unnumbered = (parameters: Json): Json =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name.replace(/^Permissions\.1\./, ""), value]));

const nested = (parameters: Json): Json => ({
  RegionId: parameters["RegionId"],
  SecurityGroupId: parameters["SecurityGroupId"],
  Permissions: [
    unnumbered(Object.fromEntries(Object.entries(parameters).filter(([name]) => name.startsWith("Permissions.")))),
  ],
});

describe("a call that writes a rule", () => {
  it("tells who did what, from where, when and with which rule", () => {
    const call = {
      eventId: "b7c1d2e3-0000-4000-8000-000000000001",
      region: "cn-hangzhou",
      kind: "authorize",
      operation: "AuthorizeSecurityGroup",
      at: CALLED_AT,
      receivedAt: RECEIVED_AT,
      actor: { type: "ram-user", principalId: "2000000000000001", name: "alice", accountId: "100000000000" },
      address: "203.0.113.7",
      userAgent: "AlibabaCloud (linux; x64) Node.js",
      requestId: "1A2B3C4D-0000-0000-0000-000000000000",
      token: null,
      failed: null,
      rules: [{ spec: ssh, description: "for alice" }],
      ruleIds: [],
      confirmed: false,
      settled: false,
    };
    expect(readTrailRecord(trailRecord(), RECEIVED_AT)).toEqual({
      kind: "call",
      call,
      sightings: [{ ...call, groupId: "sg-bp1" }],
      createdGroup: null,
      lists: [],
      accountId: "100000000000",
    });
  });

  it.each<[string, (parameters: Json) => Json]>([
    ["as an object", (requestParameters) => ({ requestParameters })],
    ["as JSON text", (parameters) => ({ requestParameters: JSON.stringify(parameters) })],
    ["as an object in requestParameterJson", (requestParameterJson) => ({ requestParameterJson })],
    ["as text in requestParameterJson", (parameters) => ({ requestParameterJson: JSON.stringify(parameters) })],
    [
      "as text beside empty parameters",
      (parameters) => ({ requestParameters: {}, requestParameterJson: JSON.stringify(parameters) }),
    ],
    ["by the old names", (parameters) => ({ requestParameters: unnumbered(parameters) })],
    ["as a list", (parameters) => ({ requestParameters: nested(parameters) })],
    [
      "as the text of a list",
      (parameters) => {
        const { Permissions, ...others } = nested(parameters);
        return { requestParameters: { ...others, Permissions: JSON.stringify(Permissions) } };
      },
    ],
  ])("is read with its parameters %s", (_form, form) => {
    expect(readTrailRecord(reshaped(form), RECEIVED_AT)).toEqual(readTrailRecord(trailRecord(), RECEIVED_AT));
  });

  it("is read from the text of the whole record", () => {
    const text = JSON.stringify(trailRecord());
    expect(readTrailRecord(text, RECEIVED_AT)).toEqual(readTrailRecord(trailRecord(), RECEIVED_AT));
  });

  it.each<[string, Json]>([
    ["the map of resources", { resourceType: undefined, resourceName: undefined }],
    [
      "the map as text",
      { ...withoutResources, referencedResources: JSON.stringify({ "ACS::ECS::SecurityGroup": ["sg-bp1"] }) },
    ],
    [
      "the parallel lists",
      {
        referencedResources: undefined,
        resourceType: "ACS::ECS::Instance;ACS::ECS::SecurityGroup",
        resourceName: "i-1;sg-bp1",
      },
    ],
  ])("finds its group in %s when the parameters name none", (_place, changes) => {
    const record = trailRecord({ ...sshFromOne, SecurityGroupId: undefined }, changes);
    expect(callOf(record).sightings).toMatchObject([{ groupId: "sg-bp1", rules: [{ spec: ssh }] }]);
  });

  it("believes the parameters rather than the resources about its group", () => {
    const record = trailRecord(sshFromOne, {
      referencedResources: { "ACS::ECS::SecurityGroup": ["sg-peer", "sg-bp1"] },
    });
    expect(callOf(record).sightings.map((sighting) => sighting.groupId)).toEqual(["sg-bp1"]);
  });

  it("does not say whose the rule is when only the resources name groups, and several", () => {
    const record = trailRecord(
      { ...sshFromOne, SecurityGroupId: undefined },
      { referencedResources: { "ACS::ECS::SecurityGroup": ["sg-peer", "sg-bp1"] } },
    );
    expect(callOf(record).sightings).toMatchObject([
      { groupId: "sg-peer", rules: null },
      { groupId: "sg-bp1", rules: null },
    ]);
  });

  it("means priority 1 and accept where it says neither", () => {
    const { "Permissions.1.Policy": _policy, "Permissions.1.Priority": _priority, ...others } = sshFromOne;
    expect(callOf(trailRecord(others)).call.rules).toMatchObject([{ spec: ssh }]);
  });

  it.each<[string, Json, Json]>([
    ["a bare address", { SourceCidrIp: "203.0.113.7" }, { peer: { kind: "cidr", cidr } }],
    ["host bits", { SourceCidrIp: "203.0.113.7/24" }, { peer: { kind: "cidr", cidr: parseCidr("203.0.113.0/24") } }],
    [
      "an IPv6 block",
      { SourceCidrIp: "", Ipv6SourceCidrIp: "2001:db8::/64" },
      { peer: { kind: "cidr", cidr: parseCidr("2001:db8::/64") } },
    ],
    ["a block before a group", { SourceGroupId: "sg-2", SourcePrefixListId: "pl-1" }, { peer: { kind: "cidr", cidr } }],
    [
      "a group before a prefix list",
      { SourceCidrIp: undefined, SourceGroupId: "sg-2", SourcePrefixListId: "pl-1" },
      { peer: { kind: "group", groupId: "sg-2" } },
    ],
    [
      "a prefix list",
      { SourceCidrIp: undefined, SourcePrefixListId: "pl-1" },
      { peer: { kind: "prefixList", prefixListId: "pl-1" } },
    ],
    ["a range before a port list", { PortRangeListId: "prl-1" }, { ports: ssh.ports }],
    [
      "a port list",
      { PortRange: undefined, PortRangeListId: "prl-1" },
      { ports: { kind: "list", portRangeListId: "prl-1" } },
    ],
    ["numbers", { Priority: 7 }, { priority: 7 }],
    ["a drop", { Policy: "Drop" }, { policy: "drop" }],
    ["an own address", { DestCidrIp: "192.168.0.11" }, { dest: parseCidr("192.168.0.11/32") }],
    ["ports of the peer", { SourcePortRange: "1000/2000" }, { sourcePorts: { range: { from: 1000, to: 2000 } } }],
  ])("understands %s", (_what, change, expected) => {
    const numbered = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [`Permissions.1.${name}`, value]),
    );
    expect(callOf(trailRecord({ ...sshFromOne, ...numbered })).call.rules).toMatchObject([{ spec: expected }]);
  });

  it.each<[string, Json]>([
    ["both address families", { Ipv6SourceCidrIp: "2001:db8::/64" }],
    ["no peer", { SourceCidrIp: "" }],
    ["a peer that is no block", { SourceCidrIp: "anywhere" }],
    ["no protocol", { IpProtocol: undefined }],
    ["no ports", { PortRange: undefined }],
    ["ports that are none", { PortRange: "22-23/9" }],
    ["a policy of its own", { Policy: "maybe" }],
    ["a priority out of bounds", { Priority: "101" }],
  ])("does not guess at a rule with %s", (_what, change) => {
    const numbered = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [`Permissions.1.${name}`, value]),
    );
    expect(callOf(trailRecord({ ...sshFromOne, ...numbered })).call.rules).toBeNull();
  });

  it("tells several rules in the order of their numbers", () => {
    const tenth = Object.fromEntries(
      Object.entries(sshFromOne).map(([name, value]) => [name.replace(".1.", ".10."), value]),
    );
    const second = { "Permissions.2.IpProtocol": "ICMP", "Permissions.2.SourceCidrIp": "0.0.0.0/0" };
    const { rules } = callOf(trailRecord({ ...tenth, ...second, ...sshFromOne })).call;
    expect(rules?.map(({ spec }) => spec.protocol)).toEqual(["tcp", "icmp", "tcp"]);
  });

  it("reads an egress rule from its destination", () => {
    const { "Permissions.1.SourceCidrIp": _source, ...others } = sshFromOne;
    const parameters = {
      ...others,
      "Permissions.1.DestCidrIp": "203.0.113.7",
      "Permissions.1.SourceCidrIp": "10.0.0.1",
    };
    const { call } = callOf(trailRecord(parameters, { eventName: "AuthorizeSecurityGroupEgress" }));
    expect(call.rules).toMatchObject([{ spec: { ...ssh, direction: "egress", dest: parseCidr("10.0.0.1/32") } }]);
  });

  it("tells the token, and none that is longer than the cloud's", () => {
    expect(callOf(trailRecord({ ...sshFromOne, ClientToken: "t-1" })).call.token).toBe("t-1");
    expect(callOf(trailRecord({ ...sshFromOne, ClientToken: "t".repeat(65) })).call.token).toBeNull();
  });

  it("that failed says how", () => {
    const { call, sightings } = callOf(trailRecord(sshFromOne, { errorCode: "Forbidden.RAM", errorMessage: "no" }));
    expect(call.failed).toBe("Forbidden.RAM");
    expect(sightings).toMatchObject([{ failed: "Forbidden.RAM" }]);
  });

  it("tells an actor of whom nothing is known", () => {
    const nobody = { type: "", principalId: "", name: "", accountId: "" };
    for (const userIdentity of [undefined, null, "alice", [], { userName: { of: "alice" } }])
      expect(callOf(trailRecord(sshFromOne, { userIdentity })).call.actor).toEqual(nobody);
  });
});

describe("a call that takes rules away or changes them", () => {
  it.each<[string, Json]>([
    ["numbered", { "SecurityGroupRuleId.2": "sgr-2", "SecurityGroupRuleId.1": "sgr-1" }],
    ["as a list", { SecurityGroupRuleId: ["sgr-1", "sgr-2"] }],
    ["as the text of a list", { SecurityGroupRuleId: '["sgr-1","sgr-2"]' }],
  ])("names rules by their ids, %s", (_form, parameters) => {
    const { call } = callOf(trailRecord(parameters, { eventName: "RevokeSecurityGroup" }));
    expect(call).toMatchObject({ kind: "revoke", ruleIds: ["sgr-1", "sgr-2"], rules: [] });
  });

  it("names rules by what they say", () => {
    const { call } = callOf(trailRecord(sshFromOne, { eventName: "RevokeSecurityGroup" }));
    expect(call).toMatchObject({ kind: "revoke", ruleIds: [], rules: [{ spec: ssh }] });
  });

  it("and names none in a shape we know says so", () => {
    expect(callOf(trailRecord({}, { eventName: "RevokeSecurityGroup" })).call.rules).toBeNull();
    expect(callOf(trailRecord({}, { eventName: "AuthorizeSecurityGroup" })).call.rules).toBeNull();
  });

  const whole = { SecurityGroupRuleId: "sgr-1", ...unnumbered(sshFromOne) };

  it("tells a rule that a modify gives in whole", () => {
    const { call } = callOf(trailRecord(whole, { eventName: "ModifySecurityGroupRule" }));
    expect(call).toMatchObject({
      kind: "modify",
      ruleIds: ["sgr-1"],
      rules: [{ spec: ssh, description: "for alice" }],
    });
  });

  it.each(["IpProtocol", "PortRange", "SourceCidrIp", "Policy", "Priority"])(
    "does not tell what a modify without %s makes of the rule",
    (name) => {
      const parameters = { ...whole, [name]: undefined };
      const { call } = callOf(trailRecord(parameters, { eventName: "ModifySecurityGroupRule" }));
      expect(call).toMatchObject({ ruleIds: ["sgr-1"], rules: null });
    },
  );

  it("of an API that nobody has published is a change of unknown rules", () => {
    const { call } = callOf(trailRecord(sshFromOne, { eventName: "ConfigureSecurityGroupPermissions" }));
    expect(call).toMatchObject({ kind: "modify", rules: null, ruleIds: [] });
  });
});

describe("a call that changes who is in a group", () => {
  it.each<[string, Json, readonly string[]]>([
    ["JoinSecurityGroup", { InstanceId: "i-1" }, ["sg-bp1"]],
    ["LeaveSecurityGroup", { NetworkInterfaceId: "eni-1" }, ["sg-bp1"]],
    [
      "ModifyInstanceAttribute",
      { SecurityGroupId: undefined, "SecurityGroupIds.1": "sg-1", "SecurityGroupIds.2": "sg-2" },
      ["sg-1", "sg-2"],
    ],
    ["ModifyInstanceAttribute", { SecurityGroupId: undefined, SecurityGroupIds: ["sg-1", "sg-2"] }, ["sg-1", "sg-2"]],
    [
      "ModifyNetworkInterfaceAttribute",
      { SecurityGroupId: undefined, "SecurityGroupId.1": "sg-1", "SecurityGroupId.2": "sg-2" },
      ["sg-1", "sg-2"],
    ],
  ])("%s %j is seen in every group that it names", (eventName, parameters, groups) => {
    const { sightings } = callOf(trailRecord(parameters, { eventName }));
    expect(sightings.map(({ groupId }) => groupId)).toEqual(groups);
    expect(sightings.every(({ kind, rules }) => kind === "membership" && rules?.length === 0)).toBe(true);
  });

  it.each(["ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute"])("is no %s of a name", (eventName) => {
    const record = trailRecord({ SecurityGroupId: undefined, Name: "new" }, { eventName, ...withoutResources });
    expect(readTrailRecord(record, RECEIVED_AT)).toEqual({ kind: "other", operation: eventName });
  });
});

describe("a call that makes, ends or changes a group", () => {
  it.each<[string, Json]>([
    ["DeleteSecurityGroup", {}],
    ["ModifySecurityGroupPolicy", { InnerAccessPolicy: "Accept" }],
    ["ModifySecurityGroupAttribute", { SecurityGroupName: "new" }],
    ["TagResources", { SecurityGroupId: undefined, ResourceType: "securitygroup", "ResourceId.1": "sg-bp1" }],
    ["UntagResources", { SecurityGroupId: undefined, ResourceType: "SecurityGroup", ResourceId: ["sg-bp1"] }],
  ])("%s is seen in it", (eventName, parameters) => {
    const { sightings } = callOf(trailRecord(parameters, { eventName, ...withoutResources }));
    expect(sightings).toMatchObject([{ groupId: "sg-bp1", kind: "group", rules: [] }]);
  });

  it("is no change of a group when other things are tagged", () => {
    const record = trailRecord({ ResourceType: "instance", "ResourceId.1": "i-1" }, { eventName: "TagResources" });
    expect(readTrailRecord(record, RECEIVED_AT)).toEqual({ kind: "other", operation: "TagResources" });
  });

  const creation = (changes: Json): Json =>
    trailRecord({ SecurityGroupId: undefined }, { eventName: "CreateSecurityGroup", ...withoutResources, ...changes });

  it.each<[string, Json]>([
    ["the answer", { responseElements: { SecurityGroupId: "sg-new" } }],
    ["the answer as text", { responseElements: '{"SecurityGroupId":"sg-new"}' }],
    ["the resources", { referencedResources: { "ACS::ECS::SecurityGroup": ["sg-new"] } }],
  ])("tells the new group from %s", (_place, changes) => {
    const { createdGroup, sightings } = callOf(creation(changes));
    expect(createdGroup).toBe("sg-new");
    expect(sightings).toMatchObject([{ groupId: "sg-new", kind: "group" }]);
  });

  it("makes none when it failed", () => {
    const reading = callOf(creation({ errorCode: "QuotaExceed.SecurityGroup" }));
    expect(reading).toMatchObject({ createdGroup: null, sightings: [], call: { failed: "QuotaExceed.SecurityGroup" } });
  });
});

describe("a call that changes what rules act on", () => {
  it.each([
    ["ModifyPrefixList", "PrefixListId", "pl-1"],
    ["DeletePrefixList", "PrefixListId", "pl-1"],
    ["ModifyPortRangeList", "PortRangeListId", "prl-1"],
    ["DeletePortRangeList", "PortRangeListId", "prl-1"],
  ])("%s names the list and no group", (eventName, parameter, id) => {
    const record = trailRecord({ SecurityGroupId: undefined, [parameter]: id }, { eventName, ...withoutResources });
    expect(callOf(record)).toMatchObject({
      lists: [{ listId: id }],
      sightings: [],
      call: { kind: "list", operation: eventName },
    });
  });

  it("finds the list in the resources", () => {
    const record = trailRecord(
      { SecurityGroupId: undefined },
      { eventName: "ModifyPrefixList", ...withoutResources, referencedResources: { "ACS::ECS::PrefixList": ["pl-1"] } },
    );
    expect(callOf(record).lists).toMatchObject([{ kind: "prefix", listId: "pl-1" }]);
  });
});

describe("what is none of our business", () => {
  it.each<[string, Json]>([
    ["a read", { eventName: "DescribeSecurityGroupAttribute", eventRW: "Read" }],
    ["a read by the name of a write", { eventRW: "Read" }],
    ["another write of ECS", { eventName: "StartInstance" }],
    ["another service's call", { serviceName: "Ens" }],
    ["another service's call, by its host", { serviceName: undefined, eventSource: "ens.aliyuncs.com" }],
    ["a call by the name of what every object has", { eventName: "constructor" }],
  ])("is %s", (_what, changes) => {
    const record = trailRecord(sshFromOne, changes);
    expect(readTrailRecord(record, RECEIVED_AT)).toEqual({ kind: "other", operation: record["eventName"] });
  });

  it("is told from ECS by the host where the service has no name", () => {
    expect(callOf(trailRecord(sshFromOne, { serviceName: undefined })).sightings).toHaveLength(1);
  });
});

describe("what cannot be read", () => {
  const groups = (count: number): Json =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`SecurityGroupIds.${n + 1}`, `sg-${n}`]));
  const rules = (count: number): readonly unknown[] =>
    Array.from({ length: count }, (_, n) => ({
      IpProtocol: "TCP",
      PortRange: `${n + 1}/${n + 1}`,
      SourceCidrIp: "::/0",
    }));
  const memberships = (count: number): Json =>
    trailRecord({ SecurityGroupId: undefined, ...groups(count) }, { eventName: "ModifyInstanceAttribute" });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["no object", [trailRecord()]],
    ["text that is no JSON", '{"eventId":'],
    ["no eventId", trailRecord(sshFromOne, { eventId: undefined })],
    ["an eventId that is no id", trailRecord(sshFromOne, { eventId: "a b" })],
    ["no eventName", trailRecord(sshFromOne, { eventName: "" })],
    ["no eventTime", trailRecord(sshFromOne, { eventTime: undefined })],
    ["a time that is none", trailRecord(sshFromOne, { eventTime: "2026-13-01T08:00:00Z" })],
    ["a time without a zone", trailRecord(sshFromOne, { eventTime: "2026-11-01T08:00:00" })],
    ["no region", trailRecord(sshFromOne, { acsRegion: null })],
    ["a rule of no group", trailRecord({ ...sshFromOne, SecurityGroupId: undefined }, withoutResources)],
    ["a rule of what is no group's id", trailRecord({ ...sshFromOne, SecurityGroupId: "sg/../1" }, withoutResources)],
    ["a change of no list", trailRecord({}, { eventName: "ModifyPrefixList" })],
    ["more than 256 KiB", trailRecord({ ...sshFromOne, Filler: "x".repeat(256 * 1024) })],
    ["text of more than 256 KiB", JSON.stringify(trailRecord({ ...sshFromOne, Filler: "x".repeat(256 * 1024) }))],
    ["more than 1000 groups", memberships(1001)],
    ["more than 200 rules", trailRecord({ Permissions: rules(201) })],
    [
      "more than 200 rule ids",
      trailRecord(
        { SecurityGroupRuleId: Array.from({ length: 201 }, (_, n) => `sgr-${n}`) },
        { eventName: "RevokeSecurityGroup" },
      ),
    ],
  ])("is %s", (_what, record) => {
    expect(readTrailRecord(record, RECEIVED_AT)).toEqual({ kind: "unreadable", why: expect.stringMatching(/^it /) });
  });

  it("is not what is just as large as it may be", () => {
    expect(callOf(memberships(1000)).sightings).toHaveLength(1000);
    expect(callOf(trailRecord({ Permissions: rules(200) })).call.rules).toHaveLength(200);
  });

  it("is nesting beyond the stack", () => {
    let deep: unknown = {};
    for (let n = 0; n < 100_000; n++) deep = [deep];
    expect(readTrailRecord({ ...trailRecord(), deep }, RECEIVED_AT).kind).toBe("unreadable");
    expect(readTrailRecord(`${"[".repeat(200_000)}`, RECEIVED_AT).kind).toBe("unreadable");
  });

  it("is a failed call's missing group no reason for", () => {
    const record = trailRecord(
      { ...sshFromOne, SecurityGroupId: undefined },
      { ...withoutResources, errorCode: "MissingParameter" },
    );
    expect(callOf(record)).toMatchObject({ sightings: [], call: { failed: "MissingParameter" } });
  });
});

it("a time with an offset is the same instant", () => {
  expect(callOf(trailRecord(sshFromOne, { eventTime: "2026-11-01T16:00:00+08:00" })).call.at).toBe(CALLED_AT);
});

it("a record that does not say whose trail it is has an empty account", () => {
  expect(callOf(trailRecord(sshFromOne, { recipientAccountId: undefined })).accountId).toBe("");
});
