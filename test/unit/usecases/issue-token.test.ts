// Tokens that are issued, rotated and revoked: the chain of who issued them, and what the trail says of it.
import { beforeEach, describe, expect, test } from "vitest";
import { checkToken } from "../../../shared/access/token.ts";
import type { Caller } from "../../../shared/usecases/app.ts";
import { issueToken } from "../../../shared/usecases/token/issue-token.ts";
import { rotateToken } from "../../../shared/usecases/token/rotate-token.ts";
import { type AppWorld, appWorld, START } from "./app-world.ts";

const ISSUE = { dryRun: false };

describe("the chain that issued a token", () => {
  let world: AppWorld;
  beforeEach(async () => {
    world = await appWorld();
  });

  const ask = (principal: string) => ({ principal, roles: ["admin"] as const, scope: null, days: 7, note: "" });

  /** Whoever presents the token, as a request has it. */
  async function presenting(text: string | null): Promise<Caller> {
    const token = await checkToken(world.tables, text ?? "", START);
    if (token === null) throw new Error("the token lets nobody in");
    const { tokenId, principal, issuers } = token;
    return { ...world.caller(principal, "admin"), tokenId, issuers };
  }

  test("goes back to the first, however many tokens are issued one with the other", async () => {
    let caller = world.caller("ann", "admin");
    for (const name of ["bob", "carl", "dora"])
      caller = await presenting((await issueToken(world.app, caller, ask(name), ISSUE)).text);
    expect(caller.issuers).toEqual(["carl", "bob", "ann"]);
  });

  test("stays with whoever rotates the own token, and gets longer by whoever rotates another's", async () => {
    const bob = await presenting((await issueToken(world.app, world.caller("ann", "admin"), ask("bob"), ISSUE)).text);
    const own = await presenting((await rotateToken(world.app, bob, bob.tokenId ?? "", 0, ISSUE)).text);
    expect(own.issuers).toEqual(["ann"]);
    const eve = { ...world.caller("eve", "admin"), issuers: ["root"] };
    const others = await presenting((await rotateToken(world.app, eve, own.tokenId ?? "", 0, ISSUE)).text);
    expect(others.issuers).toEqual(["eve", "root", "ann"]);
  });

  test("is refused where it is too long to be kept whole", async () => {
    const issuers = Array.from({ length: 50 }, (_, n) => `admin-${n}`);
    const last = { ...world.caller("one-more", "admin"), issuers };
    await expect(issueToken(world.app, last, ask("bob"), ISSUE)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    const again = { ...world.caller("admin-3", "admin"), issuers };
    expect((await issueToken(world.app, again, ask("bob"), ISSUE)).token.issuers).toHaveLength(50);
  });

  test.each(["safeport", "Setup", "corp/recovered", "monitoring", "alarm", "link", "UNKNOWN"])(
    "does not begin with a name by which records tell of the program: %s",
    async (principal) => {
      const asked = issueToken(world.app, world.caller("root", "admin"), ask(principal), ISSUE);
      await expect(asked).rejects.toMatchObject({ code: "REQUEST_INVALID", detail: { field: "principal" } });
    },
  );

  test("and what became of each token is recorded with its before and after, and nothing of its secret", async () => {
    const caller = { ...world.caller("ann", "admin"), address: "203.0.113.9/32", tokenId: "0123456789abcdef" };
    const { text, token } = await issueToken(world.app, caller, ask("bob"), ISSUE);
    await rotateToken(world.app, caller, token.tokenId, 0, ISSUE);
    const { rows } = await world.tables.range({ table: "record", from: [], to: null, limit: 10 });
    const records = rows.map(({ columns }) => JSON.parse(String(columns["body"])));
    expect(records[0]).toMatchObject({
      ...{ actor: "ann", from: "203.0.113.9/32, token 0123456789abcdef", decidedBy: "roles: admin" },
      changes: [{ what: `token ${token.tokenId}`, before: null, after: { principal: "bob", isRevoked: false } }],
    });
    expect(records[1].changes).toHaveLength(2);
    const secret = text?.split("_").at(-1) ?? "";
    expect(JSON.stringify(records)).not.toContain(secret);
    expect(JSON.stringify(records)).not.toMatch(/salt|secretHash/);
  });
});
