// The protocols of the lock and of a lease hold in every state that the models can come to, and break without each thing that keeps them.
import { expect, test } from "vitest";
import { explore } from "./explore.ts";
import { lockModel } from "./lock-model.ts";
import { LOCK_PLANTED, LUCK, PLANTED, SUSPENSION_LUCK, SUSPENSION_PLANTED } from "./planted.ts";
import { protocol } from "./protocol.ts";
import { suspensionModel } from "./suspension-model.ts";

/** The rest of it is for `npm run model`. */
const LUCK_IN_SUITE = 3;
const SUSPENSIONS_IN_SUITE = 4;

test("nobody calls without the lock, whatever the clocks say and whoever is frozen", () => {
  const { states, broken } = explore(lockModel({ marginTicks: 2 }));
  expect(broken).toBeNull();
  expect(states).toBeGreaterThan(3000);
});

test.each(LOCK_PLANTED)("somebody does with $marginTicks ticks of margin and without $without", (terms) => {
  expect(explore(lockModel(terms)).broken?.invariant).toBe("no call starts without the lock");
});

test.each(LUCK.slice(0, LUCK_IN_SUITE).map((luck) => [JSON.stringify(luck), luck] as const))(
  "a lease is over when nothing is left to be done, and can always come to that: %s",
  (_, luck) => {
    const { states, broken } = explore(protocol(luck));
    expect(broken).toBeNull();
    expect(states).toBeGreaterThan(5000);
  },
);

test.each(PLANTED)("a lease comes to harm without %s", (without, luck) => {
  expect(explore(protocol({ ...luck, without })).broken).not.toBeNull();
});

test.each(SUSPENSION_LUCK.slice(0, SUSPENSIONS_IN_SUITE).map((terms) => [JSON.stringify(terms), terms] as const))(
  "what lockdowns close is closed as long as one is on, and given back once: %s",
  (_, terms) => {
    const { states, broken } = explore(suspensionModel(terms));
    expect(broken).toBeNull();
    expect(states).toBeGreaterThan(1000);
  },
);

test.each(SUSPENSION_PLANTED)("it is not without $without", (terms) => {
  expect(explore(suspensionModel(terms)).broken).not.toBeNull();
});
