// Moving a lease to another address: laws over any lease and any address.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cidr, cidrOf, containsCidr, formatCidr } from "../../shared/domain/cidr.ts";
import type { LeaseId } from "../../shared/domain/ids.ts";
import { isFinal, LEASE_STATES } from "../../shared/domain/lease.ts";
import type { LeaseStatus } from "../../shared/domain/lease-record.ts";
import { followStep, planFollow, tookPlace } from "../../shared/plan/plan-follow.ts";

const cidr = fc
  .tuple(fc.bigInt({ min: 0n, max: 255n }), fc.integer({ min: 26, max: 32 }))
  .map(([last, prefix]): Cidr => cidrOf(4, 0xcb007100n + last, prefix));
const held = fc.uniqueArray(cidr, { minLength: 1, maxLength: 4, selector: formatCidr });
const texts = (cidrs: readonly Cidr[]) => cidrs.map(formatCidr);

test("a move changes one source and no other, and only where the new address is not let in already", () => {
  fc.assert(
    fc.property(held, cidr, fc.option(fc.nat(4)), cidr, (sources, to, place, stranger) => {
      const from = place === null ? null : (sources[place] ?? stranger);
      const plan = planFollow(sources, to, from);
      const isHeld = from === null || texts(sources).includes(formatCidr(from));
      const isIn = sources.some((it) => containsCidr(it, to));
      const isAmbiguous = from === null && sources.length > 1;
      expect(plan.kind).toBe(!isHeld ? "unknown" : isIn ? "same" : isAmbiguous ? "ambiguous" : "move");
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

const newId = "ls-new" as LeaseId;
const UNTIL = 5000;
const NOTES = [null, "its rule is not shown", "ls-new took its place", "ls-new took its place by mistake"] as const;
const isOver = ({ state }: Pick<LeaseStatus, "state">): boolean => isFinal(state) || state === "closing";
/** Every old lease as far as a move goes, and every new one. */
const olds = LEASE_STATES.flatMap((state) =>
  NOTES.flatMap((note) =>
    [null, UNTIL - 1, UNTIL, UNTIL + 1].map((closedAt) => ({ state, note, closedAt, until: UNTIL }) as LeaseStatus),
  ),
);
const news = LEASE_STATES.flatMap((state) => NOTES.slice(0, 2).map((note) => ({ state, note }) as LeaseStatus));

test("whatever has become of the old lease, a move is over without the new one", () => {
  for (const before of olds)
    for (const after of [null, ...news.filter(isOver)]) expect(followStep(before, after, newId)).toBe("over");
});

test("the old lease ends once the new one is seen open, and not before", () => {
  for (const before of olds.filter((it) => !isOver(it)))
    for (const after of news.filter((it) => !isOver(it))) {
      const isSeenOpen = after.state === "open" && after.note === null;
      expect(followStep(before, after, newId)).toBe(isSeenOpen ? "end" : "wait");
    }
});

test("the new lease ends with the old one where somebody ended that, and not where its time or the move did", () => {
  for (const before of olds.filter(isOver)) {
    const isSomebodys = before.note !== null && before.note !== tookPlace(newId) && (before.closedAt ?? 0) < UNTIL;
    for (const after of news.filter((it) => !isOver(it)))
      expect(followStep(before, after, newId)).toBe(isSomebodys ? "undo" : "over");
  }
  const noted = { state: "closed", note: "for ann: ls-new took its place", closedAt: 1, until: UNTIL } as LeaseStatus;
  expect(followStep(noted, { state: "open", note: null } as LeaseStatus, newId)).toBe("over");
});
