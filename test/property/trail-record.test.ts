// Records of ActionTrail: whatever comes is read without a throw, and a rule is the same rule in every shape.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { egressPermission, ingressPermission } from "../../shared/adapters/alibaba/ecs-rule.ts";
import { readTrailRecord } from "../../shared/adapters/alibaba/trail-record.ts";
import type { Peer, Ports, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { TrailReading } from "../../shared/ports/trail.ts";
import { anySpec } from "../kit/rule-arbitraries.ts";
import { type Json, trailRecord } from "../kit/trail-records.ts";

/** Reads, and holds the answer against what the port promises. */
function read(record: unknown): TrailReading {
  const reading = readTrailRecord(record, 1);
  if (reading.kind === "unreadable") {
    expect(reading.why).not.toBe("");
    return reading;
  }
  if (reading.kind === "other") return reading;
  const { call, sightings, lists } = reading;
  expect(Number.isFinite(call.at)).toBe(true);
  expect(call).toMatchObject({ confirmed: false, settled: false, receivedAt: 1 });
  expect(sightings.length).toBeLessThanOrEqual(1000);
  expect(call.rules?.length ?? 0).toBeLessThanOrEqual(200);
  for (const { groupId, ...same } of sightings) {
    expect(groupId).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(same).toEqual(call);
  }
  for (const { listId } of lists) expect(listId).toMatch(/^[A-Za-z0-9_-]+$/);
  for (const { spec } of call.rules ?? []) expect(ruleKey(spec)).not.toBe("");
  return reading;
}

const operations = [
  "AuthorizeSecurityGroup",
  "RevokeSecurityGroupEgress",
  "ModifySecurityGroupRule",
  "ConfigureSecurityGroupPermissions",
  "CreateSecurityGroup",
  "TagResources",
  "JoinSecurityGroup",
  "ModifyInstanceAttribute",
  "ModifyPrefixList",
  "DescribeSecurityGroups",
];

const genuine = fc.constantFrom(...operations).map((eventName) =>
  trailRecord(undefined, {
    eventName,
    requestParameterJson: '{"Permissions":[{"IpProtocol":"TCP"}],"ResourceType":"securitygroup","ResourceId":["sg-1"]}',
    responseElements: { SecurityGroupId: "sg-2" },
  }),
);

const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom<unknown>("", "[", "{}", '["sg-1",{}]', '{"__proto__":{"a":1}}', "sg-1", "\u0000", -1, 1e300, null),
);

/** The value with something else at one place, chosen by `path`. */
function changedAt(value: unknown, path: readonly number[], other: unknown): unknown {
  const [at, ...rest] = path;
  if (at === undefined || typeof value !== "object" || value === null) return other;
  const names = Object.keys(value);
  const name = names[at % (names.length + 1)] ?? "__proto__";
  const copy = Object.fromEntries(Object.entries(value)) as Json;
  Object.defineProperty(copy, name, {
    value: changedAt((value as Json)[name], rest, other),
    configurable: true,
    enumerable: true,
    writable: true,
  });
  return copy;
}

it("any JSON value is read without a throw, also as text", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      read(value);
      read(JSON.stringify(value));
    }),
    { numRuns: 2000 },
  );
});

it("any text is read without a throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => void read(text)));
});

it("a genuine record with up to three changed places is read without a throw", () => {
  const change = fc.tuple(fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }), hostile);
  fc.assert(
    fc.property(genuine, fc.array(change, { minLength: 1, maxLength: 3 }), (record, changes) => {
      const changed = changes.reduce<unknown>((value, [path, other]) => changedAt(value, path, other), record);
      read(changed);
      read(JSON.stringify(changed));
    }),
    { numRuns: 5000 },
  );
});

it("a torn record is unreadable", () => {
  fc.assert(
    fc.property(genuine, fc.double({ min: 0, max: 0.999, noNaN: true }), (record, part) => {
      const text = JSON.stringify(record);
      expect(read(text.slice(0, Math.floor(text.length * part))).kind).toBe("unreadable");
    }),
  );
});

const withId = (peer: Peer): Peer => {
  if (peer.kind === "group") return { kind: "group", groupId: "sg-peer" };
  return peer.kind === "cidr" ? peer : { kind: "prefixList", prefixListId: "pl-1" };
};
const withList = (ports: Ports): Ports => (ports.kind === "list" ? { kind: "list", portRangeListId: "prl-1" } : ports);

/** A rule as the cloud takes one. */
const writable: fc.Arbitrary<RuleSpec> = anySpec.map((spec) => ({
  ...spec,
  protocol: typeof spec.protocol === "object" ? { other: "47" } : spec.protocol,
  ports: withList(spec.ports),
  peer: withId(spec.peer),
  priority: Math.min(spec.priority, 100),
  sourcePorts: spec.sourcePorts.kind === "range" ? spec.sourcePorts : { kind: "any" },
}));

/** Names of the wire: the first letter is a capital. */
const wire = (permission: object): Json =>
  Object.fromEntries(
    Object.entries(permission).map(([name, value]) => [name.replace(/^./, (first) => first.toUpperCase()), value]),
  );

it("the rules of a call are the same in every shape, and the ones that were sent", () => {
  const batch = fc.tuple(
    fc.constantFrom("ingress" as const, "egress" as const),
    fc.array(writable, { minLength: 1, maxLength: 4 }),
  );
  fc.assert(
    fc.property(batch, ([direction, specs]) => {
      const rules = specs.map((spec) => ({ spec: { ...spec, direction }, description: "a door" }));
      const sent = rules.map((rule) =>
        wire(direction === "ingress" ? ingressPermission(rule) : egressPermission(rule)),
      );
      const numbered = Object.fromEntries(
        sent.flatMap((permission, index) =>
          Object.entries(permission).map(([name, value]) => [`Permissions.${index + 1}.${name}`, value]),
        ),
      );
      const shapes: Json[] = [numbered, { Permissions: sent }, { Permissions: JSON.stringify(sent) }];
      if (sent.length === 1) shapes.push(sent[0] ?? {});
      const eventName = direction === "ingress" ? "AuthorizeSecurityGroup" : "AuthorizeSecurityGroupEgress";
      for (const shape of shapes) {
        const reading = read(trailRecord(shape, { eventName }));
        expect(reading).toMatchObject({ kind: "call", call: { rules } });
      }
    }),
    { numRuns: 500 },
  );
});
