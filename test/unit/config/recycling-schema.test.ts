// The policy's section on recycling: what is shipped, what it refuses, and what becomes of its texts.
import { describe, expect, test } from "vitest";
import { defaultPolicy, readPolicyDocument } from "../../../shared/config/policy-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";

const recyclingOf = (recycling: unknown) => {
  const reading = readPolicyDocument({ recycling });
  if (reading.kind !== "ok") throw new Error(reading.mistakes.map(({ path, what }) => `${path} ${what}`).join("; "));
  return policyOf(reading.document, 1, "cn-hangzhou").recycling;
};

describe("recycling in the policy", () => {
  test("is shipped with a window of 45 days, 95 percent, and a list of what is never closed", () => {
    const { recycling } = defaultPolicy("cn-hangzhou");
    expect(recycling).toMatchObject({ windowDays: 45, coverageMin: 95, skippedMax: 0, exempt: [], seasonal: [] });
    expect(recycling.neverClose.map(({ ports, protocol }) => ports?.from ?? protocol)).toEqual([
      null,
      "icmp",
      22,
      3389,
    ]);
    expect(recycling.collect).toMatchObject({ everyMs: 21_600_000, sliceMs: 3_600_000, queriesPerDay: 1000 });
  });

  test("is shipped reporting only: no group is named, and each step waits for a person", () => {
    const { recycling } = defaultPolicy("cn-hangzhou");
    const days = (count: number) => count * 86_400_000;
    expect(recycling).toMatchObject({
      ...{ groups: [], steps: { quarantine: "ask", delete: "ask" }, watchEveryMs: 600_000 },
      ...{ noticeMs: days(7), quarantineMs: days(14), requeueAfterMs: days(45), exemptMaxMs: days(366) },
    });
    expect(recyclingOf({ groups: ["web"], steps: { quarantine: "auto" }, notice: 1 })).toMatchObject({
      ...{ groups: ["web"], noticeMs: days(1), steps: { quarantine: "auto", delete: "ask" } },
    });
    for (const wrong of [{ notice: 0 }, { quarantine: 91 }, { steps: { delete: "always" } }, { watchEvery: 59 }])
      expect(() => recyclingOf(wrong)).toThrow(/recycling/);
  });

  test("names days, ports and blocks, and refuses what is none", () => {
    const entry = { owner: "ann", reason: "audit" };
    const { exempt, seasonal } = recyclingOf({
      exempt: [{ ...entry, ports: "8000-8010", groups: ["web"], until: "2027-03-31" }],
      seasonal: [{ ...entry, windows: [{ from: "02-29", to: "03-05" }] }],
    });
    expect(exempt[0]).toMatchObject({ ports: { from: 8000, to: 8010 }, until: Date.UTC(2027, 2, 31) });
    expect(seasonal[0]?.windows).toEqual([{ from: "02-29", to: "03-05" }]);
    for (const wrong of [
      { exempt: [{ ...entry, until: "2027-02-30" }] },
      { exempt: [{ until: "2027-03-31", reason: "x" }] },
      { exempt: [{ ...entry, until: "2027-03-31", ports: "22,23" }] },
      { seasonal: [{ ...entry, windows: [{ from: "02-30", to: "03-05" }] }] },
      { seasonal: [{ ...entry, windows: [] }] },
      { neverClose: [{ sources: ["10.0.0.0/33"], reason: "x" }] },
      { collect: { slice: 5400 } },
      { window: 6 },
      { sources: ["rumour"] },
    ])
      expect(() => recyclingOf(wrong)).toThrow(/recycling/);
  });
});
