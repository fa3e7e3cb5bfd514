// Passes and people at once: a share of the seeds that `npm run interleavings` goes through.
import { expect, test } from "vitest";
import { incidents } from "../interleavings/incidents.ts";
import { runSeed } from "../interleavings/run-seed.ts";

const SEEDS = 300;
const INCIDENT_SEEDS = 60;
/** Beyond those, that have found something once. */
const FOUND = [5280, 2351, 3063, 701];

test(`nobody's unrelated rule is lost in ${SEEDS} interleavings of passes and people`, async () => {
  const wrong: string[] = [];
  for (const seed of [...Array.from({ length: SEEDS }, (_, n) => n + 1), ...FOUND]) {
    const report = await runSeed(`${seed}`);
    const trace = report.wrong.length > 0 && wrong.length === 0 ? (await runSeed(`${seed}`, true)).trace : [];
    wrong.push(...trace, ...report.wrong.map((text) => `seed ${seed}: ${text}`));
  }
  expect(wrong).toEqual([]);
}, 300_000);

test(`drops and suspensions come and go as they should in ${INCIDENT_SEEDS} interleavings with all that`, async () => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= INCIDENT_SEEDS; seed++) {
    const report = await runSeed(`${seed}`, false, incidents);
    wrong.push(...report.wrong.map((text) => `seed ${seed} of --incidents: ${text}`));
  }
  expect(wrong).toEqual([]);
}, 300_000);

test("a seed runs the same way every time", async () => {
  const [one, other] = [await runSeed("same", true), await runSeed("same", true)];
  expect(one.calls).toBeGreaterThan(100);
  expect(other.trace).toEqual(one.trace);
});
