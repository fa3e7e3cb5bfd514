// Links in messages: for one person, one change and one use, and nothing that merely looks at them decides.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Doorkeeper, doorkeeper } from "../../shared/access/identify.ts";
import { OidcTokens } from "../../shared/access/oidc.ts";
import { formatLink } from "../../shared/domain/approval-link.ts";
import type { EntryId } from "../../shared/domain/ids.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { httpApp } from "../../shared/http/http-app.ts";
import { askPage, confirmationOf } from "../../shared/http/link-page.ts";
import type { HttpRequest, HttpResponse } from "../../shared/http/message.ts";
import type { UseCases } from "../../shared/http/route.ts";
import { routes } from "../../shared/http/routes.ts";
import type { Message } from "../../shared/ports/notifier.ts";
import { listEntries } from "../../shared/store/ledger.ts";
import { decideByLink, openLink } from "../../shared/usecases/approval/decide-by-link.ts";
import { decideLease } from "../../shared/usecases/approval/decide-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { retireEntry } from "../../shared/usecases/ledger/retire-entry.ts";
import { sendNotices } from "../../shared/usecases/notices/send-notices.ts";
import { issueToken, type TokenAsk } from "../../shared/usecases/token/issue-token.ts";
import { revokeToken } from "../../shared/usecases/token/revoke-token.ts";
import { World } from "../kit/world.ts";

const SITE = "https://safeport.example.com";
const robot = (name: string) => ({ kind: "webhook", url: `https://hooks.example.com/${name}`, secretFrom: "HOOKS" });
const policy = {
  defaultTarget: "web",
  approval: { ports: ["3306"] },
  notifications: {
    targets: { olga: robot("olga"), bea: robot("bea"), ann: robot("ann"), everybody: robot("everybody") },
    people: {
      olga: { targets: ["olga", "everybody"], standIn: "ann" },
      bea: { targets: ["bea"] },
      ann: { targets: ["ann", "everybody"] },
    },
    roles: { approver: ["everybody"] },
  },
};

let world: World;
/** Ids of the tokens of those who are asked. */
const tokens = new Map<string, string>();
let sent: { readonly target: string; readonly message: Message }[] = [];
beforeEach(async () => {
  sent = [];
  world = await World.start({ policy, settings: { publicUrl: SITE } });
  const ask: AllocationAsk = {
    ...{ group: "web", protocol: "tcp", port: "3306", sources: ["10.0.0.0/24"], priority: 1, ticket: "" },
    ...{ owner: "olga", backup: "bea", application: "shop", reason: "orders", allowedSources: [], openHours: null },
    ...{ policy: "accept", direction: "ingress", sensitiveConfirmed: true },
  };
  await world.run(allocateRule(world.process(), world.caller("root", ["admin"]), ask, { dryRun: false }));
  for (const name of ["olga", "bea"]) tokens.set(name, await issue(name));
  // Tokens of the very instant of a request, or of later, count for nothing.
  await world.advance(1);
});
afterEach(() => world.stop());

/** Has root, or somebody else, issue a token; answers its id. */
async function issue(principal: string, change: Partial<TokenAsk> = {}, by = "root"): Promise<string> {
  const ask: TokenAsk = { principal, roles: ["requester"], scope: null, days: 30, note: "", ...change };
  const { token } = await world.run(issueToken(world.process(), world.caller(by, ["admin"]), ask, { dryRun: false }));
  return token.tokenId;
}

const revoke = (tokenId: string) =>
  world.run(revokeToken(world.process(), world.caller("root", ["admin"]), tokenId, { dryRun: false }));

/** Asks, and has the messages sent. */
async function asked(
  sources = ["203.0.113.7"],
  issuers: readonly string[] = [],
): Promise<{ lease: Lease; links: ReadonlyMap<string, string> }> {
  const ask = world.ask({ port: "3306", sources, reason: 'look at <b>"orders"</b>' });
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await world.run(openLease(world.process(), { ...world.caller("ann"), issuers }, ask, options));
  const app = world.process();
  const notifier = {
    send: async (target: { readonly name: string }, message: Message) => {
      sent.push({ target: target.name, message });
      return { kind: "sent" } as const;
    },
  };
  await world.run(
    sendNotices({ ...app, notifier }, { policy: world.policy, deadlineAt: app.clock.monotonicMs() + 10_000 }),
  );
  const links = new Map<string, string>();
  for (const { target, message } of sent)
    for (const line of message.lines) {
      const [, link] = /(https:\/\/safeport\.example\.com\/v1\/links\/\S+)/.exec(line) ?? [];
      if (link !== undefined) links.set(target, link);
    }
  return { lease, links };
}

function send(link: string, request: Partial<HttpRequest> = {}, door?: Doorkeeper): Promise<HttpResponse> {
  const app = world.process();
  const oidc = new OidcTokens(app.clock, { read: async () => ({ keys: [] }) });
  const own = doorkeeper({ clock: app.clock, tables: app.tables, oidc, later: () => undefined });
  const web = httpApp({
    routesAt: async () => routes,
    app,
    useCases: { openLink, decideByLink } as unknown as UseCases,
    ...(door ?? own),
    readPolicy: async () => world.policy,
    documents: async () => ({ textOf: JSON.stringify, policyOf: () => world.policy, warningsOf: () => [] }),
    writeBook: async () => new Uint8Array(),
  } as unknown as Parameters<typeof httpApp>[0]);
  const path = link.replace(SITE, "");
  const base = { requestId: "r", method: "GET", path, headers: {}, query: {}, body: new Uint8Array(), sourceIp: "" };
  return world.run(web({ ...base, ...request }, 60_000));
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };
async function press(link: string, fields: Record<string, string> = {}, headers: object = {}): Promise<HttpResponse> {
  const confirm = /name="confirm" value="([^"]+)"/.exec((await send(link)).body)?.[1] ?? "";
  const body = Buffer.from(String(new URLSearchParams({ confirm, decision: "approve", ...fields })));
  return send(link, { method: "POST", headers: { ...FORM, ...headers }, body });
}
const stateOf = async ({ request }: Lease) => (await world.lease(request.leaseId)).status.state;

describe("a link", () => {
  test("goes to the owner and to the stand-in of the port, each their own, and nowhere where others read", async () => {
    const { links } = await asked();
    expect([...links.keys()].sort()).toEqual(["bea", "olga"]);
    expect(links.get("olga")).not.toBe(links.get("bea"));
    expect(sent.map((it) => it.target)).toContain("everybody");
    const rows = await world.process().tables.range({ table: "outbox", from: [0], to: null, limit: 100 });
    for (const link of links.values()) expect(JSON.stringify(rows)).not.toContain(link.split(".").at(-1));
  });

  test("shows what is asked for, harmlessly, and looking decides nothing", async () => {
    const { lease, links } = await asked();
    const link = links.get("olga") ?? "";
    for (const method of ["GET", "HEAD", "GET", "OPTIONS"]) await send(link, { method });
    const page = await send(link);
    expect([page.status, page.headers["Content-Type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers["Content-Security-Policy"]).toMatch(/^default-src 'none'; form-action 'self'/);
    expect(page.headers).toMatchObject({
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
      "X-Frame-Options": "DENY",
    });
    expect(page.body).toContain("look at &lt;b&gt;&quot;orders&quot;&lt;/b&gt;");
    expect(page.body).not.toMatch(/<(script|style|img|link|b)\b/);
    expect(await stateOf(lease)).toBe("requested");
  });

  test("shows when a lease starts that starts later, and that it cuts sessions at its end", async () => {
    const { lease } = await asked();
    const atOnce = askPage("x", lease).body;
    const startAt = Date.UTC(2027, 0, 2, 3, 4, 5);
    const later = askPage("x", { ...lease, request: { ...lease.request, startAt, sessions: "cut" } }).body;
    expect(atOnce).not.toMatch(/Starts|sessions/);
    expect(later).toMatch(/Starts \/ [^<]+<\/th><td>2027-01-02T03:04:05Z</);
    expect(later).toMatch(/At its end \/ [^<]+<\/th><td>open sessions are cut/);
  });

  test("approves by its form, in the person's name, once: played again it does nothing", async () => {
    const { lease, links } = await asked();
    const link = links.get("olga") ?? "";
    expect((await press(link, { reason: "fine" })).status).toBe(200);
    expect(await stateOf(lease)).toBe("open");
    const [word] = (await world.lease(lease.request.leaseId)).approval?.words ?? [];
    expect(word).toMatchObject({ by: "olga", via: "link", reason: "fine" });
    for (const again of [
      await send(link),
      await press(link),
      await press(links.get("bea") ?? "", { decision: "deny", reason: "no" }),
    ])
      expect(again.status).not.toBe(200);
    expect(await stateOf(lease)).toBe("open");
    expect((await world.lease(lease.request.leaseId)).approval?.words).toHaveLength(1);
  });

  test("denies with a reason", async () => {
    const { lease, links } = await asked();
    expect((await press(links.get("bea") ?? "", { decision: "deny" })).status).toBe(400);
    expect((await press(links.get("bea") ?? "", { decision: "deny", reason: "not now" })).status).toBe(200);
    expect(await stateOf(lease)).toBe("denied");
  });

  test("is not obeyed from another site, without the page, or in another form", async () => {
    const { lease, links } = await asked();
    const link = links.get("olga") ?? "";
    for (const site of ["cross-site", "same-site", "none"])
      expect((await press(link, {}, { "sec-fetch-site": site })).status).toBe(404);
    expect((await press(link, { confirm: "x" })).status).toBe(404);
    const confirm = /value="([^"]+)"/.exec((await send(link)).body)?.[1] ?? "";
    const json = Buffer.from(JSON.stringify({ confirm, decision: "approve" }));
    for (const type of ["application/json", "text/plain", "multipart/form-data", ""])
      expect((await send(link, { method: "POST", headers: { "content-type": type }, body: json })).status).toBe(400);
    const doubled = Buffer.from(`confirm=${confirm}&decision=deny&decision=approve&reason=x`);
    expect((await send(link, { method: "POST", headers: FORM, body: doubled })).status).toBe(400);
    expect(await stateOf(lease)).toBe("requested");
    expect((await press(link, {}, { "sec-fetch-site": "same-origin" })).status).toBe(200);
  });

  test("made up, altered, of another request or too old is no link", async () => {
    const [one, two] = [await asked(), await asked(["198.51.100.7"])];
    const link = one.links.get("olga") ?? "";
    const { leaseId } = one.lease.request;
    const expiresAt = world.clock.now() + 3_600_000;
    const made = (person: string, change: string, secret: string) =>
      `/v1/links/${formatLink({ leaseId, person, expiresAt }, { change, secret })}`;
    const change = one.lease.approval?.change ?? "";
    const secret = "0123456789abcdef0123456789abcdef";
    const wrong = [
      link.replace(leaseId, two.lease.request.leaseId),
      link.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
      link.replace(/\.[0-9a-z]{8}\.(?=[A-Za-z0-9_-]+\.)/, ".zzzzzzzz."),
      made("olga", change, "another secret of another installation"),
      made("olga", two.lease.approval?.change ?? "", secret),
      made("mallory", change, secret),
      "/v1/links/x",
    ];
    for (const text of wrong) expect([text, (await send(text)).status]).toEqual([text, 404]);
    expect((await send(made("olga", change, secret))).status).toBe(200);
    await world.advance(25 * 3_600_000);
    expect((await send(link)).status).toBe(404);
  });
});

describe("a link is no right of its own: it does not decide", () => {
  const refused = async (links: ReadonlyMap<string, string>, lease: Lease, status = 403, name = "olga") => {
    const link = links.get(name) ?? "";
    expect((await send(link)).status).toBe(status);
    const confirm = confirmationOf(link.split("/").at(-1) ?? "");
    const body = Buffer.from(String(new URLSearchParams({ confirm, decision: "approve" })));
    expect((await send(link, { method: "POST", headers: FORM, body })).status).toBe(status);
    expect(await stateOf(lease)).toBe("requested");
  };

  test("once its person's token is revoked, has expired, or is good for reading alone", async () => {
    const { lease, links } = await asked();
    await revoke(tokens.get("olga") ?? "");
    await refused(links, lease);
    await issue("olga", { roles: ["auditor"] });
    await refused(links, lease);
    expect((await press(links.get("bea") ?? "")).status).toBe(200);
  });

  test("twice, but for a word that counts for nothing: its token is revoked, and the person has another", async () => {
    const found = await issue("olga");
    await world.advance(1);
    world.policy = { ...world.policy, approval: { ...world.policy.approval, count: 2 } };
    const { lease, links } = await asked();
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    const olga = { ...world.caller("olga"), tokenId: found };
    await world.run(decideLease(world.process(), olga, lease.request.leaseId, word, { dryRun: false }));
    expect((await send(links.get("olga") ?? "")).status).toBe(410);
    await revoke(found);
    expect((await press(links.get("olga") ?? "")).status).toBe(200);
    expect((await send(links.get("olga") ?? "")).status).toBe(410);
    expect((await press(links.get("bea") ?? "")).status).toBe(200);
    expect(await stateOf(lease)).toBe("open");
  });

  test("beyond the token it stood on: with that revoked, its word counts for nothing", async () => {
    world.policy = { ...world.policy, approval: { ...world.policy.approval, count: 2 } };
    const { lease, links } = await asked();
    expect((await press(links.get("olga") ?? "")).status).toBe(200);
    await revoke(tokens.get("olga") ?? "");
    expect((await press(links.get("bea") ?? "")).status).toBe(200);
    expect(await stateOf(lease)).toBe("requested");
  });

  test("once the scope of its person's token, or what the policy says of the person, leaves the group out", async () => {
    const scoped = await issue("olga", { scope: { groups: ["app"], tags: [], applications: [] } });
    await world.advance(1);
    const { lease, links } = await asked();
    world.policy = {
      ...world.policy,
      access: { ...world.policy.access, scopes: { olga: { groups: [], tags: ["env=test"], applications: [] } } },
    };
    await refused(links, lease);
    world.policy = {
      ...world.policy,
      access: { ...world.policy.access, scopes: { olga: { groups: ["web"], tags: [], applications: [] } } },
    };
    expect((await press(links.get("olga") ?? "")).status).toBe(200);
    const other = await asked(["198.51.100.7"]);
    await revoke(tokens.get("olga") ?? "");
    await refused(other.links, other.lease);
    await revoke(scoped);
    expect((await send(other.links.get("olga") ?? "")).body).toMatch(/hold no token/);
  });

  test("by a token that was issued when it was known what for", async () => {
    const { lease, links } = await asked();
    await revoke(tokens.get("olga") ?? "");
    await issue("olga", { roles: ["admin"] });
    await refused(links, lease);
    expect((await send(links.get("olga") ?? "")).body).toMatch(/issued after this was asked for/);
  });

  test("once the ledger names somebody else, unless its person is an approver; nor does the API then", async () => {
    const { lease, links } = await asked();
    await issue("olga", { roles: ["approver"] });
    await world.advance(1);
    const later = await asked(["198.51.100.7"]);
    const app = world.process();
    const { entries } = await listEntries(app.tables, world.web);
    const [entry] = entries.filter(({ allocation }) => allocation?.owner === "olga");
    await world.run(
      retireEntry(app, world.caller("root", ["admin"]), "web", entry?.entryId as EntryId, { dryRun: false }),
    );
    await refused(links, lease);
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    const said = decideLease(app, world.caller("olga", ["requester"]), lease.request.leaseId, word, { dryRun: false });
    await expect(world.run(said)).rejects.toMatchObject({ code: "APPROVER_MISSING" });
    expect((await press(later.links.get("olga") ?? "")).status).toBe(200);
  });

  test("where whoever asks has issued the token of the person, and with it could be that person", async () => {
    const { lease, links } = await asked();
    await revoke(tokens.get("olga") ?? "");
    await issue("olga", {}, "ann");
    await refused(links, lease);
  });

  test("where the person has issued the token it was asked with; nor is that person asked, unless the policy lets issuers", async () => {
    const { links } = await asked(["198.51.100.7"], ["root", "bea"]);
    expect([...links.keys()]).toEqual(["olga"]);
    const setSwitch = (issuerMayApprove: boolean) => {
      world.policy = { ...world.policy, approval: { ...world.policy.approval, issuerMayApprove } };
    };
    setSwitch(true);
    const { lease, links: both } = await asked(["203.0.113.7"], ["root", "bea"]);
    setSwitch(false);
    await refused(both, lease, 403, "bea");
    expect((await press(both.get("olga") ?? "")).status).toBe(200);
    expect(await stateOf(lease)).toBe("open");
  });
});

describe("whoever tries links", () => {
  const door = () => {
    const { clock, tables } = world.process();
    const oidc = new OidcTokens(clock, { read: async () => ({ keys: [] }) });
    return doorkeeper({ clock, tables, oidc, later: () => undefined });
  };
  const from = (n: number) => ({ sourceIp: `203.0.113.${n}` });

  test("is locked out after some that are signed by nobody, and others are not", async () => {
    const { links } = await asked();
    const link = links.get("olga") ?? "";
    world.policy = { ...world.policy, access: { ...world.policy.access, failuresMax: 3 } };
    const own = door();
    for (let n = 0; n < 12; n++) expect((await send("/v1/links/x", from(1), own)).status).toBe(404);
    const { status, headers } = await send(link, from(1), own);
    expect([status, Number(headers["Retry-After"])]).toEqual([429, 60]);
    expect((await send(link, from(2), own)).status).toBe(200);
  });

  test("is not locked out by looking at links of what has lapsed: a mailbox is scanned again and again", async () => {
    const old = (await asked()).links.get("olga") ?? "";
    await world.advance(25 * 3_600_000);
    await world.ticks(1);
    world.policy = { ...world.policy, access: { ...world.policy.access, failuresMax: 3 } };
    const own = door();
    for (let n = 0; n < 12; n++) expect((await send(old, from(1), own)).status).toBe(410);
    const { links } = await asked(["198.51.100.7"]);
    expect((await send(links.get("olga") ?? "", from(1), own)).status).toBe(200);
  });

  test("too often is asked to wait: from one address, and all together", async () => {
    const { links } = await asked();
    const link = links.get("olga") ?? "";
    const own = door();
    for (let n = 0; n < 60; n++) await send(link, { ...from(1), method: "HEAD" }, own);
    expect((await send(link, from(1), own)).status).toBe(429);
    expect((await send(link, from(2), own)).status).toBe(200);
    const reads = world.callNames.length;
    const flood = () => {
      for (let n = 0; n < 600; n++) own.strangers.admit(`198.51.100.${n % 200}/32`, world.policy.access);
    };
    expect(flood).toThrow(/share of requests/);
    expect((await send(link, from(3), own)).status).toBe(429);
    expect(world.callNames.length - reads).toBe(0);
  });
});
