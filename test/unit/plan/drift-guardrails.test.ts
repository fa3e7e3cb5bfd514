// What a lockdown that closes accepts keeps from being rolled back: whatever would open again what it closes.
import { describe, expect, test } from "vitest";
import type { Suspender } from "../../../shared/domain/ledger-entry.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, aSighting, aWatch } from "../../kit/drift-pictures.ts";
import { aPicture, HOUR, NOW, preExisting, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { by, keptAs, over, suspended } from "../../kit/suspended-pictures.ts";

const onPort = (port: number, changes: Partial<RuleSpec> = {}): RuleSpec =>
  aSpec({ ports: somePorts(`${port}/${port}`), ...changes });
/** What the lockdown has closed in the group. */
const closed = (suspender: Suspender = by) =>
  suspended({ by: [suspender], kept: [keptAs("closed")] }, { spec: onPort(9000) });
const operators = [{ protocol: "tcp", port: "22", sources: ["192.0.2.0/24"] }] as const;

const planned = (picture: Partial<Picture>, watch: Partial<Watch>): Plan =>
  planGroup(
    aPicture({ watch: aWatch({ core: ["443"], operatorPath: operators, ...watch }), lateEffectMaxMs: 0, ...picture }),
  );

/** Bob has removed a granted rule. */
function removed(spec: RuleSpec, suspender: Suspender | null = by): Plan {
  const entry = anAllocated({ spec, standing: preExisting("g") });
  const entries = suspender === null ? [entry] : [entry, closed(suspender)];
  return planned({ entries }, { sightings: [aSighting({ kind: "revoke", specs: [spec] })] });
}

const callsOf = ({ calls }: Plan): readonly string[] =>
  calls.map((it) => (it.kind === "authorize" ? it.entry.key : `${it.kind} ${it.ruleId}`));

describe("while a lockdown keeps a group closed by its accepts", () => {
  test("a granted rule that somebody has removed stays away, is told of and looked at again", () => {
    const plan = removed(onPort(8080));
    expect(callsOf(plan)).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ kind: "removed", state: "reported", heldBy: "lockdown" }]);
    expect(plan.drift.reverts).toEqual([]);
    expect(Math.min(...plan.drift.lookAt.filter((at) => at > NOW))).toBeLessThanOrEqual(NOW + 5 * 60_000);
  });

  test.each([
    ["a core port", onPort(443)],
    ["ports with a core port", onPort(443, { ports: somePorts("400/500") })],
    ["a way of operators", onPort(22, { peer: fromCidr("192.0.2.7/32") })],
    ["a wider rule that operators come in by", onPort(22, { peer: fromCidr("0.0.0.0/0") })],
    ["ping", onPort(1, { protocol: "icmp", ports: { kind: "any" } })],
    ["a drop", onPort(8080, { policy: "drop" })],
    ["a way out", onPort(8080, { direction: "egress" })],
  ])("what it does not close is put back: %s", (_, spec) => {
    expect(callsOf(removed(spec))).toHaveLength(1);
  });

  test.each([
    ["none has closed anything", null],
    ["it is over", over],
    ["recycling has closed something", { ...by, kind: "recycling", until: null }],
  ] as const)("the rule is put back where %s", (_, suspender) => {
    const back = callsOf(removed(onPort(8080), suspender));
    expect(back.some((it) => it.includes("8080"))).toBe(true);
  });

  test("a core port's rule that somebody has changed is not made the wider one again that was granted", () => {
    const spec = onPort(8080);
    const entry = anAllocated({ spec, standing: preExisting("g") });
    const rule = aRule({ ...onPort(443), id: ruleId("g"), createdAt: NOW - HOUR });
    const edits = aSighting({ kind: "modify", specs: [rule], ruleIds: [ruleId("g")] });
    const plan = planned({ entries: [entry, closed()], rules: [rule] }, { sightings: [edits] });
    expect(callsOf(plan)).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ kind: "edited", heldBy: "lockdown" }]);
  });

  test("what somebody has opened meanwhile is closed, as ever", () => {
    const rule = aRule({ ...onPort(7000), id: ruleId("x"), createdAt: NOW - 60_000 });
    const plan = planned({ entries: [closed()], rules: [rule] }, { sightings: [aSighting({ specs: [rule] })] });
    expect(callsOf(plan)).toEqual(["revoke sgr-x"]);
  });

  test("what is held counts among what may be a mistake: more than a pass may undo stays", () => {
    const ports = [443, 8081, 8082, 8083, 8084, 8085];
    const entries = ports.map((port) => anAllocated({ spec: onPort(port), standing: preExisting(`g${port}`) }));
    const sightings = [aSighting({ kind: "revoke", specs: ports.map((port) => onPort(port)) })];
    const stands = aRule({ ...onPort(9100, { policy: "drop" }), id: ruleId("d"), createdAt: NOW - 24 * HOUR });
    const plan = planned({ entries: [...entries, closed()], rules: [stands] }, { sightings });
    const granted = plan.drift.items.filter(({ kind }) => kind === "removed");
    expect(granted.map((it) => it.heldBy)).toEqual(["ceiling", ...Array(5).fill("lockdown")]);
  });
});
