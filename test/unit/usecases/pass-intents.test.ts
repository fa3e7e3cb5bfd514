// For how long a retry is the same call.
import { expect, test } from "vitest";
import type { IntendedRule } from "../../../shared/domain/ledger-entry.ts";
import { acquireLock } from "../../../shared/store/lock.ts";
import { PassIntents } from "../../../shared/usecases/pass/pass-intents.ts";
import { anEntry, anIntent } from "../../kit/plan-pictures.ts";
import { appWorld, GROUP } from "./app-world.ts";

const entry = anEntry();
const rule: IntendedRule = { entryId: entry.entryId, spec: entry.spec, description: "to look", beforeIds: [] };

/** The intents of a pass that finds one of before, the last attempt of which was made just now. */
async function found({ bookedBeforeMs }: { bookedBeforeMs: number }) {
  const { app } = await appWorld();
  const now = app.clock.now();
  const { lockMs, lockMarginMs: marginMs } = app.settings;
  const lock = await acquireLock(app.tables, app.clock, GROUP.groupId, { holder: "a", lockMs, marginMs });
  if (lock === null) throw new Error("the lock is taken");
  const stored = anIntent(entry, { rules: [rule], bookedAt: now - bookedBeforeMs, attemptsEndAt: now });
  return { intents: new PassIntents(app, GROUP, lock, [stored]), stored, settings: app.settings };
}

test("a retry goes by the token of the call that may still take effect", async () => {
  const { intents, stored } = await found({ bookedBeforeMs: 5_000 });
  expect(intents.repeated([rule])?.token).toBe(stored.token);
  expect(intents.repeated([{ ...rule, description: "other words" }])).toBe(null);
});

test("a retry has a token of its own when the first attempts are over, although others were made since", async () => {
  const { settings } = await found({ bookedBeforeMs: 0 });
  const { intents } = await found({ bookedBeforeMs: settings.lockMs + settings.lateEffectMaxMs });
  expect(intents.repeated([rule])).toBe(null);
  expect(intents.open).toHaveLength(1);
});
