// The model decides about an entry as the program's plan does, in every scene that it can come to.
import { expect, test } from "vitest";
import { applyPatch } from "../../shared/plan/apply-patch.ts";
import { planGroup } from "../../shared/plan/plan-group.ts";
import { leaseStatus } from "../../shared/usecases/lease/lease-status.ts";
import { aHolder, aMark, anEntry, anIntent, aPicture, HOUR, NOW, ours, ruleId } from "../kit/plan-pictures.ts";
import { aRule } from "../kit/rules.ts";
import { type Decision, decide, type Scene } from "./decide.ts";

const BOTH = [false, true] as const;
const scenes: readonly Scene[] = BOTH.flatMap((ended) =>
  BOTH.flatMap((opened) =>
    BOTH.flatMap((standing) =>
      BOTH.flatMap((isPast) =>
        BOTH.flatMap((isSeen) =>
          BOTH.flatMap((mayStillOpen) =>
            BOTH.map((isRevoked) => ({ hold: { ended, opened, standing }, isPast, isSeen, mayStillOpen, isRevoked })),
          ),
        ),
      ),
    ),
  ),
);

/** Scenes that a run comes to: what has been opened was booked or is over; what this pass has revoked is not shown to the plan, nor wanted. */
function isReal({ hold, isPast, isSeen, isRevoked }: Scene): boolean {
  const isLive = !hold.ended && !isPast;
  if (isRevoked) return !isLive && !isSeen;
  // Of a live one whose rule is missing the program takes a second look before it believes that; the model does not.
  return !isLive || isSeen || (!hold.opened && !hold.standing);
}

function decidedByProgram({ hold, isPast, isSeen, mayStillOpen, isRevoked }: Scene): Decision {
  const ended = hold.ended ? ({ cause: "time", note: null, detail: null } as const) : null;
  const until = isPast ? NOW - 1 : NOW + HOUR;
  const holder = aHolder({ ended, until, openedAt: hold.opened ? NOW - HOUR : null });
  const entry = anEntry({ holders: [holder], standing: hold.standing ? ours("1") : { kind: "none" } });
  const rule = aRule({ id: ruleId("1"), description: aMark(entry.spec, { until }) });
  const picture = aPicture({
    entries: [entry],
    rules: isSeen ? [rule] : [],
    intents: mayStillOpen ? [anIntent(entry)] : [],
    revoked: new Set(isRevoked ? [ruleId("1")] : []),
    // The model writes no marks and reads nothing late: what it sees stands, as after the program has written the mark again.
    restated: new Set(isSeen ? [entry.entryId] : []),
  });
  const { calls, patches } = planGroup(picture);
  const [patch] = patches;
  if (patch === undefined) throw new Error("an entry has a patch");
  const after = applyPatch(entry, patch, NOW, new Set());
  const [held] = after.holders;
  if (held?.kind !== "lease") throw new Error("the entry keeps its holder");
  const done = held.ended !== null && patch.settled;
  const part = { entry: after, before: entry.standing, holder: held, done, shared: false };
  const kind = calls.find((call) => call.kind !== "modify")?.kind;
  return {
    hold: { ended: held.ended !== null, opened: held.openedAt !== null, standing: after.standing.kind === "ours" },
    call: kind === "authorize" || kind === "revoke" ? kind : null,
    lease: leaseStatus([part], NOW).state,
    isSettled: patch.settled,
  };
}

test("the model decides as the plan does", () => {
  const real = scenes.filter(isReal);
  expect(real.length).toBeGreaterThan(50);
  for (const scene of real) expect({ scene, ...decide(scene) }).toEqual({ scene, ...decidedByProgram(scene) });
});
