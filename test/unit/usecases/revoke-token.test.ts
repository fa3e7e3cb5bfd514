// Revoking along a chain of rotations: whatever dies or runs beside it, asked again everything that came of the token is over.
import { describe, expect, test } from "vitest";
import { changeToken, readToken } from "../../../shared/store/tokens.ts";
import type { App, Caller } from "../../../shared/usecases/app.ts";
import { issueToken } from "../../../shared/usecases/token/issue-token.ts";
import { revokeToken } from "../../../shared/usecases/token/revoke-token.ts";
import { rotateToken } from "../../../shared/usecases/token/rotate-token.ts";
import { type AppWorld, appWorld } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";

const APPLY = { dryRun: false };
const HOUR_MS = 3_600_000;

/** A token of rita that was rotated twice: ids, oldest first. */
async function chain(world: AppWorld): Promise<readonly string[]> {
  const ask = { principal: "rita", roles: ["requester"] as const, scope: null, days: 7, note: "" };
  const ids = [(await issueToken(world.app, root(world), ask, APPLY)).token.tokenId];
  for (let n = 0; n < 2; n++) ids.push((await rotate(world.app, world, ids.at(-1) ?? "")).token.tokenId);
  return ids;
}

const root = (world: AppWorld): Caller => world.caller("root", "admin");
const rotate = (app: App, world: AppWorld, id: string) =>
  rotateToken(app, { ...world.caller("rita"), tokenId: id }, id, HOUR_MS, APPLY);
const isRevoked = (world: AppWorld, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await readToken(world.tables, id))?.revokedAt !== null));

describe("revoking a token that was rotated", () => {
  test("is finished by whoever asks again, whichever write it died before", async () => {
    for (let n = 0; ; n++) {
      const world = await appWorld();
      const ids = await chain(world);
      const [first = ""] = ids;
      const isOver = await revokeToken(dyingAt(world.app, n), root(world), first, APPLY).then(
        () => true,
        () => false,
      );
      const revoked = await isRevoked(world, ids);
      // From the oldest on: who holds the one that was named is let in no more, whatever comes of the rest.
      expect([n, revoked]).toEqual([n, [...revoked].sort().reverse()]);
      if (n > 0) expect([n, revoked[0]]).toEqual([n, true]);
      await revokeToken(world.app, root(world), first, APPLY);
      expect([n, await isRevoked(world, ids)]).toEqual([n, [true, true, true]]);
      if (isOver) break;
    }
  });

  test("finds the successor of whoever rotates at the same time, at whichever write", async () => {
    for (let at = 0; at < 8; at++) {
      const world = await appWorld();
      const ids = await chain(world);
      const last = ids.at(-1) ?? "";
      let writes = 0;
      let made: string | null = null;
      const update: App["tables"]["update"] = async (...input) => {
        if (writes++ === at) made = (await rotate(world.app, world, last).catch(() => null))?.token.tokenId ?? null;
        return world.app.tables.update(...input);
      };
      const racing = { ...world.app, tables: { ...world.app.tables, update } };
      await revokeToken(racing, root(world), ids[0] ?? "", APPLY);
      const all = made === null ? ids : [...ids, made];
      expect([at, await isRevoked(world, all)]).toEqual([at, all.map(() => true)]);
    }
  });

  test("leaves whoever asks with a successor that one, and ends all before it", async () => {
    const world = await appWorld();
    const ids = await chain(world);
    const caller = { ...world.caller("rita"), tokenId: ids[2] };
    await revokeToken(world.app, caller, ids[0] ?? "", APPLY);
    expect(await isRevoked(world, ids)).toEqual([true, true, false]);
  });

  test("ends a chain that leads back to itself, and says where a very long one goes on", async () => {
    const world = await appWorld();
    const ids = await chain(world);
    const last = await readToken(world.tables, ids[2] ?? "");
    if (last !== null) await changeToken(world.tables, last, { replacedBy: ids[0] ?? "" });
    const { plan } = await revokeToken(world.app, root(world), ids[0] ?? "", APPLY);
    expect(await isRevoked(world, ids)).toEqual([true, true, true]);
    expect(plan.join()).toMatch(/^revoke [0-9a-f]{16} too: it goes on from there$/);
  });
});
