// When we kept out what a rule lets in: that nobody came then proves nothing.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { RecyclingItem } from "../../../shared/domain/recycling-item.ts";
import { type ShutAsk, shutTimes } from "../../../shared/plan/shut-times.ts";
import { aDropHolder, anEndedHolder, anEntry, HOUR, NOW } from "../../kit/plan-pictures.ts";
import { aLockdown, anItem, unusedRule } from "../../kit/recycling.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const times = (changes: Partial<ShutAsk>) =>
  shutTimes({
    ...{ rule: unusedRule, item: null, groupIds: new Set(["sg-web"]), lockdowns: [], entries: [], now: NOW },
    ...changes,
  });

describe("a lockdown", () => {
  const startedAt = NOW - 2 * HOUR;
  const lockdown = (changes: object, group: object = {}) => {
    const it = aLockdown({ startedAt, ...changes });
    return [{ ...it, groups: it.groups.map((one) => ({ ...one, ...group })) }];
  };

  test("counts from its beginning to its end, or until now", () => {
    const why = "the lockdown ld-0123456789ab-1 from 2026-11-05T06:00:00Z";
    expect(times({ lockdowns: lockdown({}) })).toEqual([{ from: startedAt, until: NOW, why }]);
    expect(times({ lockdowns: lockdown({ endedAt: NOW - HOUR }) })).toEqual([
      { from: startedAt, until: NOW - HOUR, why },
    ]);
  });

  test("counts by its drops as by what it suspends, and not where it does neither, nor in other groups", () => {
    const count = (group: object) => times({ lockdowns: lockdown({}, group) }).length;
    expect(count({ drops: 0, suspends: 1 })).toBe(1);
    expect(count({ drops: 0, suspends: 0 })).toBe(0);
    expect(count({ drops: 0, suspends: 0, wasClosed: true })).toBe(1);
    expect(count({ group: { region: "cn-hangzhou", groupId: "sg-db" } })).toBe(0);
    expect(times({ lockdowns: lockdown({}), groupIds: new Set(["sg-db", "sg-web"]) })).toHaveLength(1);
    const [it] = lockdown({});
    const elsewhere = it?.groups.map((one) => ({ ...one, group: { ...one.group, groupId: "sg-db" as never } })) ?? [];
    const both = it ? [{ ...it, groups: [...elsewhere, ...it.groups] }] : [];
    expect(times({ lockdowns: both })).toHaveLength(1);
  });
});

describe("a drop in the ledger", () => {
  const twin = aSpec({ ports: somePorts("7890/7890"), policy: "drop" });
  const holder = aDropHolder({ openedAt: NOW - HOUR });
  const count = (changes: Partial<Entry>, more: Partial<ShutAsk> = {}) =>
    times({ entries: [anEntry({ spec: twin, holders: [holder], ...changes })], ...more });

  test("counts for each who holds it, from when it was seen, until now", () => {
    expect(count({})).toEqual([
      { from: NOW - HOUR, until: NOW, why: "a drop of the lockdown ld-1 from 2026-11-05T07:00:00Z" },
    ]);
    const second = aDropHolder({ kind: "quarantine", holderId: "rc-9" });
    expect(count({ holders: [holder, second] })).toHaveLength(2);
  });

  test("does not count before it was seen, after its hold, on a list in peace, for a lease, or as the rule's own quarantine", () => {
    const lease = { ...holder, kind: "lease" } as unknown as typeof holder;
    for (const one of [
      { ...holder, openedAt: null },
      { ...holder, until: NOW },
      { ...holder, kind: "standby" as const },
      lease,
    ])
      expect(count({ holders: [one] })).toEqual([]);
    const item = anItem();
    const own = aDropHolder({ kind: "quarantine", holderId: item.itemId });
    expect([count({ holders: [own] }, { item }), count({ holders: [own] }).length]).toEqual([[], 1]);
    expect(count({ holders: [anEndedHolder()] })).toEqual([]);
  });

  test("counts where it takes from what the rule lets in", () => {
    const takes = (changes: Parameters<typeof aSpec>[0]) => count({ spec: { ...twin, ...changes } }).length;
    expect(takes({ priority: unusedRule.priority })).toBe(1);
    expect(takes({ priority: unusedRule.priority + 1 })).toBe(0);
    expect(takes({ ports: somePorts("1/7889") })).toBe(0);
    expect(takes({ peer: fromCidr("198.51.100.0/24") })).toBe(0);
    expect(takes({ direction: "egress" })).toBe(0);
    expect(takes({ policy: "accept" })).toBe(0);
  });
});

test("a quarantine of the rule counts once it is over: the watch over it knows of the one that it is in", () => {
  const move = (to: RecyclingItem["state"], at: number) => ({ from: null, to, by: "program", why: "", at });
  const history = [move("queued", NOW - 4 * HOUR), move("quarantined", NOW - 3 * HOUR), move("restored", NOW - HOUR)];
  expect(times({ item: anItem({ history }) })).toEqual([
    { from: NOW - 3 * HOUR, until: NOW - HOUR, why: "its quarantine from 2026-11-05T05:00:00Z" },
  ]);
  expect(times({ item: anItem({ history: history.slice(0, 2) }) })).toEqual([]);
});
