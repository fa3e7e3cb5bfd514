// Lockdowns of scopes that overlap, some by lists and some not, begun, joined and lifted in any order: what is open follows from those that are on.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filled, lift, lock, openPorts, standbyWorld } from "../kit/standby-world.ts";
import type { World } from "../kit/world.ts";

const SCOPES = [["web", "app"], ["web", "app", "other"], ["web"], ["app", "other"]] as const;
const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const isOpen = (port: string, locked: ReadonlySet<string>): boolean =>
  port === "web 80" || !locked.has(port.split(" ")[0] ?? "");

const aMove = fc.oneof(
  fc.record({ kind: fc.constantFrom("lock" as const, "lift" as const), scope: fc.nat(SCOPES.length - 1) }),
  fc.record({ kind: fc.constant("wait" as const), scope: fc.nat(0) }),
);

let world: World;
beforeAll(async () => {
  world = await standbyWorld();
}, 30_000);
afterAll(() => world?.stop());

test("what is open is what no lockdown that is on closes, and lists are filled for nobody else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aMove, { minLength: 1, maxLength: 8 }), async (moves) => {
      const on = new Map<number, string>();
      for (const { kind, scope } of [...moves, ...SCOPES.map((_, scope) => ({ kind: "lift" as const, scope }))]) {
        const id = on.get(scope);
        if (kind === "lock") on.set(scope, (await lock(world, SCOPES[scope] ?? [])).lockdownId);
        else if (kind === "wait") await world.ticks(1);
        else if (id !== undefined) {
          await lift(world, id);
          on.delete(scope);
        }
        const locked = new Set<string>([...on.keys()].flatMap((it) => SCOPES[it] ?? []));
        expect(openPorts(world)).toEqual(ALL.filter((port) => isOpen(port, locked)));
        if (!on.has(0) && !on.has(1)) expect(filled(world)).toEqual([0, 0]);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);
