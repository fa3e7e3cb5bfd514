// What becomes of differences: every verdict, guard, direction and change.
import { describe, expect, test } from "vitest";
import type { DriftKind, Verdict as DriftVerdict } from "../../../shared/domain/drift-item.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import type { Direction, Rule } from "../../../shared/domain/rule.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { NO_DRIFT } from "../../../shared/plan/plan-drift.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import {
  anAllocated,
  anAllocation,
  aSighting,
  aWatch,
  someTerms,
  terraform,
  WAIT_MS,
} from "../../kit/drift-pictures.ts";
import {
  aMark,
  anEndedHolder,
  anEntry,
  aPicture,
  HOUR,
  NOW,
  ours,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { granted } from "../../kit/watched-pictures.ts";

describe("every verdict, guard, direction and change", () => {
  /** What a difference may be judged to be, as its item tells; null for what is none. */
  const TOLD = {
    ours: null,
    granted: null,
    foreign: "foreign",
    adopt: "trusted",
    ticket: "trusted",
    waiting: "unknown",
    expired: "drift",
    drift: "drift",
  } as const satisfies Readonly<Record<string, DriftVerdict["kind"] | null>>;
  const KINDS = { foreign: 0, trusted: 0, unknown: 0, drift: 0 } satisfies Record<DriftVerdict["kind"], 0>;
  const CHANGES = Object.keys({ added: 0, removed: 0, edited: 0 } satisfies Record<Change, 0>) as readonly Change[];
  const GUARDS = Object.keys({ none: 0, observe: 0, enforce: 0 } satisfies Record<Guard, 0>) as readonly Guard[];
  type Verdict = keyof typeof TOLD;
  type Change = Exclude<DriftKind, "guard">;
  const VERDICTS = Object.keys(TOLD) as readonly Verdict[];

  /** What is called, and where the item then stands. `x` is the rule nobody granted, `g` the granted one. */
  const TABLE = `
    verdict   change    none   observe             enforce
    ours      added     -      -                   -
    ours      removed   -      -                   -
    ours      edited    -      -                   -
    granted   added     -      -                   -
    granted   removed   -      -                   -
    granted   edited    -      -                   -
    foreign   added     -      reported            reported
    foreign   removed   -      waiting             waiting
    foreign   edited    -      waiting             waiting
    adopt     added     -      adopted:give        adopted:give
    adopt     removed   -      adopted:retire      adopted:retire
    adopt     edited    -      adopted:give+retire adopted:give+retire
    ticket    added     -      reported            reported
    ticket    removed   -      reported            reported
    ticket    edited    -      reported            reported
    waiting   added     -      waiting             waiting
    waiting   removed   -      waiting             waiting
    waiting   edited    -      waiting             waiting
    expired   added     -      reported            revoke:x,rollingBack
    expired   removed   -      reported            authorize:g,rollingBack
    expired   edited    -      reported            modify:g,rollingBack
    drift     added     -      reported            revoke:x,rollingBack
    drift     removed   -      reported            authorize:g,rollingBack
    drift     edited    -      reported            modify:g,rollingBack`;
  const rows = TABLE.trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

  test("the table has a row for each verdict and change", () => {
    const product = VERDICTS.flatMap((verdict) => CHANGES.map((change) => `${verdict} ${change}`));
    expect(rows.map(([verdict, change]) => `${verdict} ${change}`)).toEqual(product);
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => 2 + GUARDS.length));
    expect(new Set(Object.values(TOLD).filter((kind) => kind !== null))).toEqual(new Set(Object.keys(KINDS)));
  });

  /** A group with one granted rule that stands, one that the change may be about, and who changed it. */
  function scene(verdict: Verdict, change: Change, direction: Direction): { picture: Partial<Picture>; watch: Watch } {
    const peer = fromCidr(verdict === "foreign" ? "100.104.7.0/24" : "198.51.100.0/24");
    const other = granted("other", 80);
    const spec = aSpec({ direction, ports: somePorts("443/443") });
    const wild = aSpec({ direction, ports: somePorts("8443/8443"), peer });
    const g = aRule({ ...spec, id: ruleId("g"), createdAt: NOW - 24 * HOUR });
    const x = aRule({ ...wild, id: ruleId("x"), createdAt: NOW - 60_000 });
    const shown = { added: [g, x], removed: [], edited: [{ ...g, ...wild }] }[change];
    const entry = anAllocated({ spec, standing: preExisting("g") });
    const actor = verdict === "drift" ? {} : { actor: terraform };
    const calls = {
      added: aSighting({ ...actor, specs: [wild], at: NOW - 60_000 }),
      removed: aSighting({ ...actor, kind: "revoke", specs: [], ruleIds: [ruleId("g")] }),
      edited: aSighting({ ...actor, kind: "modify", specs: [wild], ruleIds: [ruleId("g")] }),
    };
    const isSeen = verdict === "adopt" || verdict === "ticket" || verdict === "drift";
    const treat = verdict === "ticket" ? "ticket" : "adopt";
    const watch = aWatch({
      terms: someTerms({ trustedPrincipals: [{ principal: "terraform", treat }] }),
      sightings: isSeen ? [calls[change]] : [],
    });
    const rules = [other.rule, ...shown];
    const entries = [other.entry, entry];
    if (verdict === "ours") return { picture: ofLeases(change, g, x), watch };
    if (verdict !== "granted") return { picture: { rules, entries }, watch };
    const hours = { zone: "UTC", windows: [{ days: [5], from: "00:00", to: "01:00" }] };
    return {
      added: {
        picture: { rules, entries: [...entries, anAllocated({ spec: wild, standing: preExisting("x") })] },
        watch,
      },
      // Gone while its open hours are over.
      removed: {
        picture: { rules, entries: [other.entry, { ...entry, allocation: anAllocation({ openHours: hours }) }] },
        watch,
      },
      // Its allocation knows no description: any will do.
      edited: { picture: { rules: [other.rule, { ...g, description: "web" }], entries }, watch },
    }[change];
  }

  /** A lease has opened the rule, has had it closed, or has had its end and so its mark moved. */
  function ofLeases(change: Change, g: Rule, x: Rule): Pick<Picture, "rules" | "entries"> {
    const stands = anAllocated({ spec: g, standing: preExisting("g") });
    const lease = (rule: Rule, name: string) => anEntry({ spec: rule, standing: ours(name) });
    return {
      added: { rules: [g, { ...x, description: aMark(x) }], entries: [stands, lease(x, "x")] },
      removed: { rules: [], entries: [anEntry({ spec: g, holders: [anEndedHolder()] })] },
      edited: { rules: [{ ...g, description: aMark(g) }], entries: [lease(g, "g")] },
    }[change];
  }

  const cellOf = ({ calls, drift }: Plan): string => {
    const names = calls.map((call) =>
      call.kind === "authorize" ? "authorize:g" : `${call.kind}:${call.ruleId.slice(4)}`,
    );
    const adoptions = drift.adoptions.map(({ allocation }) => (allocation ? "give" : "retire")).join("+");
    const states = drift.items.map(({ state }) => (adoptions ? `${state}:${adoptions}` : state));
    return [...names, ...states].join(",") || "-";
  };

  const cells = rows.flatMap(([verdict, change, ...expected]) =>
    (["ingress", "egress"] as const).flatMap((direction) =>
      GUARDS.map((guard, at) => ({ verdict, change, direction, guard, expected: expected[at] })),
    ),
  );

  test.each(cells)("$verdict, $change, $direction, guard $guard: $expected", (cell) => {
    const [verdict, change] = [cell.verdict as Verdict, cell.change as Change];
    const { picture, watch } = scene(verdict, change, cell.direction);
    const given = aPicture(picture);
    const acting = { ...watch, acts: cell.guard };
    // Seen for the first time when the wait began.
    const since = verdict === "expired" ? NOW - WAIT_MS : NOW;
    const { items } = planGroup({ ...given, now: since, watch: acting }).drift;
    const stored = verdict === "expired" ? items : [];
    const plan = planGroup({ ...given, watch: { ...acting, items: stored } });
    expect(cellOf(plan)).toBe(cell.expected);
    for (const call of plan.calls) expect(call.rollback).toBe(plan.drift.items[0]?.driftId);
    // Who removed or changed what a service wrote is nobody known yet.
    const told = verdict === "foreign" && change !== "added" ? "unknown" : TOLD[verdict];
    expect(plan.drift.items.map((it) => it.verdict.kind)).toEqual(cell.expected === "-" ? [] : [told]);
    // What a pass that does not compare is given.
    expect(planGroup({ ...given, watch: null }).drift).toEqual(NO_DRIFT);
  });
});
