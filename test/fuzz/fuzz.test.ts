// Nothing that outsiders can send makes a parser throw what is not its own failure; what once did is tried first.
import { expect, test } from "vitest";
import { fuzz, tryInput } from "./fuzz.ts";
import { keptInputs } from "./kept.ts";
import { TARGETS } from "./targets.ts";

/** The rest is for `npm run fuzz`. */
const INPUTS = 250;

test.each(TARGETS.map((target) => [target.name, target] as const))("%s: takes whatever comes", async (name, target) => {
  for (const { file, input } of keptInputs(name))
    expect({ file, found: await tryInput(target, input) }).toEqual({ file, found: null });
  for (const seed of target.seeds) expect(await tryInput(target, seed)).toBeNull();
  const findings = await fuzz(target, "suite", target.isSlow ? INPUTS / 10 : INPUTS);
  expect(findings.map(({ what, input }) => `${what}\n${Buffer.from(input).toString().slice(0, 300)}`)).toEqual([]);
});

test("a parser that throws something else is found", async () => {
  const sloppy = {
    name: "sloppy",
    seeds: [Buffer.from('{"a":"b"}')],
    isTyped: () => false,
    run: (bytes: Buffer) => JSON.parse(`${bytes}`).a.length,
  };
  expect((await fuzz(sloppy, "suite", INPUTS)).length).toBeGreaterThan(10);
});
