// What a pass decides besides each entry: rules that no entry knows, and the order of the calls.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { aHolder, aMark, anEndedHolder, anEntry, aPicture, HOUR, NOW, ours, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";

/** A call in short: what, and on which rule or entry. */
const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (picture: Parameters<typeof planGroup>[0]): string[] => planGroup(picture).calls.map(short);
const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });

describe("a mark that no entry knows", () => {
  const plan = (until: number, stateKnown: boolean, rule = ourRule("1", until)) =>
    planGroup(aPicture({ rules: [rule], stateKnown }));

  test("in an intact ledger is reported, and closed at its end", () => {
    const live = plan(NOW + HOUR, true);
    expect([live.calls, live.recovered, live.lookAt]).toEqual([[], [], [NOW + HOUR]]);
    expect(live.findings.join()).toContain("closed at its end");
    expect(plan(NOW, true).calls).toMatchObject([{ kind: "revoke", entryId: null, ruleId: ruleId("1"), seen: true }]);
  });

  test("after the ledger was lost is booked again, or closed when it is past its end", () => {
    const live = plan(NOW + HOUR, false);
    expect([live.calls, live.findings]).toEqual([[], []]);
    expect(live.recovered.map(({ rule, mark }) => [rule.id, mark.until])).toEqual([[ruleId("1"), NOW + HOUR]]);
    expect(plan(NOW - 1000, false).calls.map(short)).toEqual(["revoke sgr-1"]);
  });

  test("is believed neither way when it is a copy: it is reported and left alone", () => {
    const copy = aRule({
      id: ruleId("1"),
      ports: somePorts("23/23"),
      description: aMark(aSpec(), { until: NOW - 1000 }),
    });
    for (const stateKnown of [true, false]) {
      const { calls, recovered, findings } = plan(NOW, stateKnown, copy);
      expect([calls, recovered]).toEqual([[], []]);
      expect(findings.join()).toContain("not its own");
    }
  });

  test("of another installation is none of our business", () => {
    const foreign = aRule({
      id: ruleId("1"),
      description: aMark(aSpec(), { installation: "other", until: NOW - 1000 }),
    });
    expect(plan(NOW, true, foreign)).toMatchObject({ calls: [], findings: [], lookAt: [] });
  });

  test("is not acted on twice after this pass has revoked its rule", () => {
    const revoked = new Set([ruleId("1")]);
    expect(callsOf(aPicture({ rules: [ourRule("1", NOW - 1000)], revoked }))).toEqual([]);
  });
});

test("ends come before everything else, and openings last", () => {
  const port = (from: number, changes: Partial<Entry>) =>
    anEntry({ ...changes, spec: aSpec({ ports: somePorts(`${from}/${from}`) }) });
  const opening = port(1, { holders: [aHolder({ openedAt: null })] });
  const moving = port(2, { standing: ours("2") });
  const ending = port(3, { standing: ours("3"), holders: [anEndedHolder()] });
  const rules = [moving, ending].map((entry, index) => aRule({ ...entry.spec, id: ruleId(`${index + 2}`) }));
  expect(callsOf(aPicture({ entries: [opening, moving, ending], rules }))).toEqual([
    "revoke sgr-3",
    "modify sgr-2",
    `authorize ${ruleKey(opening.spec)}`,
  ]);
});
