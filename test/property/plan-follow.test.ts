// Moving a lease to another address: laws over any lease and any address.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cidr, cidrOf, containsCidr, formatCidr } from "../../shared/domain/cidr.ts";
import type { LeaseId } from "../../shared/domain/ids.ts";
import { isFinal, LEASE_STATES } from "../../shared/domain/lease.ts";
import type { LeaseStatus } from "../../shared/domain/lease-record.ts";
import { followStep, planFollow } from "../../shared/plan/plan-follow.ts";

const cidr = fc
  .tuple(fc.bigInt({ min: 0n, max: 255n }), fc.integer({ min: 26, max: 32 }))
  .map(([last, prefix]): Cidr => cidrOf(4, 0xcb007100n + last, prefix));
const held = fc.uniqueArray(cidr, { minLength: 1, maxLength: 4, selector: formatCidr });
const texts = (cidrs: readonly Cidr[]) => cidrs.map(formatCidr);

test("a move changes one source and no other, and only where the new address is not let in already", () => {
  fc.assert(
    fc.property(held, cidr, fc.option(cidr), (sources, to, from) => {
      const plan = planFollow(sources, to, from);
      const isHeld = from === null || texts(sources).includes(formatCidr(from));
      expect(plan.kind === "unknown").toBe(!isHeld);
      if (!isHeld) return;
      expect(plan.kind === "same").toBe(sources.some((it) => containsCidr(it, to)));
      if (plan.kind !== "move") return;
      expect(plan.sources).toHaveLength(sources.length);
      const [gone, come] = [
        sources.filter((it) => !texts(plan.sources).includes(formatCidr(it))),
        plan.sources.filter((it) => !texts(sources).includes(formatCidr(it))),
      ];
      expect([texts(come), gone.length]).toEqual([[formatCidr(to)], 1]);
      if (from !== null) expect(texts(gone)).toEqual([formatCidr(from)]);
    }),
  );
});

test("a move is ambiguous only where several addresses could give way and none is named", () => {
  fc.assert(
    fc.property(held, cidr, fc.option(cidr), (sources, to, from) => {
      if (planFollow(sources, to, from).kind !== "ambiguous") return;
      expect([sources.length > 1, from]).toEqual([true, null]);
    }),
  );
});

test("the old lease ends only while the new one is seen open, whatever the two are", () => {
  const status = fc
    .record({ state: fc.constantFrom(...LEASE_STATES), note: fc.constantFrom(null, "its rule is not shown") })
    .map((it) => it as LeaseStatus);
  fc.assert(
    fc.property(status, fc.option(status), (before, after) => {
      const step = followStep(before, after, "ls-new" as LeaseId);
      if (step === "end") expect([after?.state, after?.note]).toEqual(["open", null]);
      const isOver = isFinal(before.state) || before.state === "closing";
      if (step === "undo") expect([isOver, before.note === null, after === null]).toEqual([true, false, false]);
      else if (step !== "over")
        expect([isFinal(before.state), after === null || isFinal(after.state)]).toEqual([false, false]);
      if (after?.state === "open" && after.note === null && !isFinal(before.state) && before.state !== "closing")
        expect(step).toBe("end");
    }),
  );
});
