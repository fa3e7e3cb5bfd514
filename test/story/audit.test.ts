// The monthly audit: made on the 3rd from what is stored, whatever was missed or dies, and read as JSON, as a file and as a page.
import { readXlsx } from "hucre/xlsx";
import { afterEach, describe, expect, test } from "vitest";
import { writeBook } from "../../functions/api/book.ts";
import { isFinding } from "../../shared/domain/audit.ts";
import { DAY_MS, dayOf, startOf, unknownDay, unusedPort } from "../../shared/domain/evidence.ts";
import { auditPage } from "../../shared/http/audit-page.ts";
import { auditSheets, type SheetBounds } from "../../shared/http/audit-sheets.ts";
import { addEvidence } from "../../shared/store/evidence.ts";
import { noteUsedHosts } from "../../shared/usecases/group/note-hosts.ts";
import { bookJobs } from "../../shared/usecases/operation/jobs.ts";
import { type AuditPage, askAudit, getAudit, listAudits } from "../../shared/usecases/operation/list-audits.ts";
import { runAudit } from "../../shared/usecases/operation/run-audit.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { type Interposer, World, worldSeed } from "../kit/world.ts";

const MONTH = "2026-11";
const EVIL = '=HYPERLINK("http://evil.example","x")';

let world: World;
afterEach(() => world.stop());

/** A group with a used and an unused rule, a lease, a rollback and an owner who tries to be a formula and a script. */
async function start(policy: Readonly<Record<string, unknown>> = {}): Promise<GuardedWorld> {
  const guarded = await GuardedWorld.start({ guard: "enforce", policy });
  world = guarded.world;
  return guarded;
}

/** All is known of the host of `web` for the days up to the end of the month; only 80 was used. */
async function evidenceOfWeb(): Promise<void> {
  const app = world.process();
  const [member] = await world.run(app.inventory.members(world.web, "inventory"));
  if (!member) throw new Error("nobody is in the group");
  const first = startOf("2026-10-10");
  for (let day = first; day <= startOf("2026-12-01"); day += DAY_MS) {
    const lastAt = day + 3_600_000;
    const peer = { block: "198.51.100.7", count: 1, hours: 2, lastAt };
    const port = { ...unusedPort("tcp", 80), real: { list: [peer], more: false } };
    const told = {
      ...unknownDay(member.eniId, dayOf(day)),
      seen: (1n << 144n) - 1n,
      ports: [port],
      sources: ["flowLog"],
    };
    await addEvidence(app.tables, world.web.region, told);
  }
}

async function toDecember3rd(): Promise<void> {
  await world.advance(Date.UTC(2026, 11, 3, 0, 0, 30) - world.clock.now());
}

const pageOf = (month = MONTH): Promise<AuditPage> => getAudit(world.process(), month, { after: null, limit: 100 });

const webOf = (page: AuditPage) => page.groups.find((it) => it.group.groupId === "sg-web");

const whole: SheetBounds = { ownersMax: 1000, portsMax: 1000, findingsOnly: false };
const sheetsOf = (language: "en" | "zh", bounds = whole) =>
  auditSheets((after) => getAudit(world.process(), MONTH, { after, limit: 1 }), language, bounds);

describe("the audit of a month", () => {
  test("comes with the 3rd, counts what there is by group and owner, and is told", async () => {
    const targets = { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN" } };
    const guarded = await start({ notifications: { targets, roles: { auditor: ["hook"] } } });
    await bookJobs(world.process());
    await evidenceOfWeb();
    await world.open({ port: "22" }, "ann");
    await world.open({ port: "8022" }, "bob");
    await world.advance(700_000);
    await world.ticks(2);
    await guarded.authorize(openDatabase);
    await guarded.settle();
    await toDecember3rd();
    await world.ticks(3);
    const page = await pageOf();
    expect(page.isPartial).toBe(false);
    expect(page.summary).toMatchObject({ groups: 3, failed: 0 });
    const web = webOf(page);
    expect(web?.owners).toContainEqual(
      expect.objectContaining({ owner: "ops", open: 2, used: 1, leases: 0, changes: 2 }),
    );
    expect(web?.owners).toContainEqual(expect.objectContaining({ owner: "ann", open: 0, leases: 1 }));
    expect(web?.owners).toContainEqual(expect.objectContaining({ owner: "bob", open: 0, leases: 1 }));
    expect(web?.owners).toContainEqual(expect.objectContaining({ owner: "", drift: 1 }));
    expect(web?.ports.map(({ ports, use, provenance }) => [ports, use, provenance])).toEqual([
      ["443", "idle", "baseline"],
      ["80", "used", "baseline"],
    ]);
    // What was seen on the 1st of December is not November's.
    expect(web?.ports[1]?.lastUsedAt).toBe(Date.UTC(2026, 10, 30, 1));
    // Nobody granted what stands in a group that is not guarded.
    const app = page.groups.find((it) => it.group.groupId === "sg-app");
    expect(app?.ports).toEqual([expect.objectContaining({ owner: "", provenance: "none", use: "unknown" })]);
    expect(app?.ports.every(isFinding)).toBe(true);
    expect(page.summary.totals).toMatchObject({ open: 3, used: 1, leases: 2, drift: 1 });
    expect(world.told.map((it) => it.type)).toContain("auditReady");
    const { audits } = await listAudits(world.process());
    expect(audits.map((it) => [it.month, it.running])).toEqual([[MONTH, null]]);
  });

  test("takes nothing for idle that was used on a host of which nobody knows where it was", async () => {
    await start();
    await evidenceOfWeb();
    await world.advance(Date.UTC(2026, 11, 10) - world.clock.now());
    const auditedAfter = async (day: string) => {
      const port = { ...unusedPort("tcp", 443), unnamedAt: startOf(day) + 3_600_000 };
      const days = [{ ...unknownDay("eni-gone", day), ports: [port] }];
      await world.run(noteUsedHosts(world.process(), world.web.region, days, world.policy.recycling));
      const deadlineAt = world.clock.monotonicMs() + 60_000;
      await world.run(runAudit(world.process(), { policy: world.policy, month: MONTH, deadlineAt }));
      return webOf(await pageOf())?.ports.find((it) => it.ports === "443");
    };
    expect(await auditedAfter("2026-12-09"), "that was not in November").toMatchObject({ use: "idle" });
    expect(await auditedAfter("2026-11-20")).toMatchObject({
      ...{ use: "unknown", why: expect.stringContaining("eni-gone") },
    });
  });

  test("is made when the program is back, where it was away on the 3rd, and once", async () => {
    await start();
    await bookJobs(world.process());
    await world.advance(Date.UTC(2026, 11, 19) - world.clock.now());
    await world.ticks(3);
    const { summary } = await pageOf();
    await world.advance(3_600_000);
    await world.ticks(3);
    expect((await pageOf()).summary).toEqual(summary);
  });

  test("a month before the installation is not due, and no month is made twice by the hour", async () => {
    await start();
    await bookJobs(world.process());
    await world.advance(3_600_000);
    await world.ticks(3);
    expect(await listAudits(world.process())).toEqual({ audits: [], unreadable: [] });
  });

  test("any month is made when it is asked for, the running one as far as it is; a month to come is refused", async () => {
    await start();
    const app = world.process();
    expect(await askAudit(app, MONTH, { dryRun: true })).toBe(true);
    await world.ticks(2);
    await expect(pageOf()).rejects.toMatchObject({ code: "AUDIT_UNKNOWN" });
    expect(await askAudit(app, MONTH, { dryRun: false })).toBe(true);
    await world.ticks(2);
    expect(await pageOf()).toMatchObject({ isPartial: true, summary: { groups: 3 } });
    for (const month of ["2026-12", "2026-13", "soon", "__proto__"])
      await expect(askAudit(app, month, { dryRun: false })).rejects.toMatchObject({ code: "AUDIT_MONTH_INVALID" });
  });

  test("an audit made anew replaces the one before only when it is whole", async () => {
    await start();
    const app = world.process();
    await askAudit(app, MONTH, { dryRun: false });
    await world.ticks(2);
    const before = await pageOf();
    await world.advance(60_000);
    // No time at all: not one group is looked at.
    const options = { policy: world.policy, month: MONTH, deadlineAt: world.clock.monotonicMs() };
    expect(await world.run(runAudit(app, options))).not.toBeNull();
    expect(await pageOf()).toEqual(before);
    expect((await listAudits(app)).audits[0]?.running).not.toBeNull();
    expect(await askAudit(app, MONTH, { dryRun: false })).toBe(false);
    await world.run(runAudit(app, { ...options, deadlineAt: world.clock.monotonicMs() + 60_000 }));
    const after = await pageOf();
    expect(after.summary.run).toBeGreaterThan(before.summary.run);
    expect(after.groups).toHaveLength(before.groups.length);
    const rows = await world.rows("audit");
    expect(rows.filter((it) => it.startsWith(MONTH))).toHaveLength(before.groups.length);
  });

  test("a group that cannot be read is said to be so, and a budget that is used up is waited for", async () => {
    await start();
    const forbidden = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault: forbidden }]);
    const options = () => ({ policy: world.policy, month: MONTH, deadlineAt: world.clock.monotonicMs() + 60_000 });
    expect(await world.run(runAudit(world.process(), options()))).toBeNull();
    expect((await pageOf()).summary).toMatchObject({ groups: 3, failed: 3 });
    const throttled = { kind: "reject", status: 503, code: "Throttling.User" } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault: throttled }]);
    expect(await world.run(runAudit(world.process(), options()))).not.toBeNull();
    expect((await pageOf()).summary.failed).toBe(3);
    world.faults([]);
    expect(await world.run(runAudit(world.process(), options()))).toBeNull();
    expect((await pageOf()).summary.failed).toBe(0);
  });

  test("of more groups than one run does goes on where it stopped, page by page", async () => {
    const many = Array.from({ length: 130 }, (_, index) => ({
      groupId: `sg-many-${String(index).padStart(3, "0")}`,
      name: `many-${index}`,
      rules: [{ portRange: "80/80", sourceCidrIp: "10.0.0.0/8" }],
    }));
    world = await World.start({ seed: { ...worldSeed, groups: [...worldSeed.groups, ...many] } });
    let ticks = 0;
    // Time passes with every look at the clock: five looks a run.
    const clock = {
      now: () => world.clock.now(),
      monotonicMs: () => ticks++,
      sleep: (ms: number) => world.clock.sleep(ms),
    };
    let runs = 0;
    for (let next: number | null = 0; next !== null; runs++) {
      const options = { policy: world.policy, month: MONTH, deadlineAt: ticks + 4 };
      next = await world.run(runAudit({ ...world.process(), clock }, options));
      expect(runs).toBeLessThan(50);
    }
    expect(runs).toBeGreaterThan(3);
    const { summary } = await pageOf();
    expect(summary).toMatchObject({ groups: 133, failed: 0, totals: { open: 133 } });
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: AuditPage = await getAudit(world.process(), MONTH, { after, limit: 40 });
      seen.push(...page.groups.map((it) => it.group.groupId));
      if (page.next === null) break;
      after = page.next;
    }
    expect(new Set(seen).size).toBe(133);
    expect(seen).toHaveLength(133);
  });

  test("dies at any call, and the next run comes to the same audit", async () => {
    await start();
    await world.open({ port: "22" }, "ann");
    const options = () => ({ policy: world.policy, month: MONTH, deadlineAt: world.clock.monotonicMs() + 60_000 });
    await world.run(runAudit(world.process(), options()));
    const { summary, groups } = await pageOf();
    for (let at = 1, isOver = false; !isOver; at += 5) {
      let made = 0;
      const dies: Interposer = async ({ half }, act) => {
        made += 1;
        if (made < at) return act();
        if (made === at) await half?.();
        throw new Error("the process is gone");
      };
      await world.run(runAudit(world.process(dies), options())).catch(() => undefined);
      isOver = made < at;
      for (let runs = 0; runs < 3; runs++) {
        await world.advance(60_000);
        if ((await world.run(runAudit(world.process(), options()))) === null) break;
      }
      const again = await pageOf();
      expect([at, again.summary.totals, again.summary.groups]).toEqual([at, summary.totals, summary.groups]);
      expect([at, again.groups]).toEqual([at, groups]);
    }
  });
});

describe("an audit to file and to read", () => {
  /** An owner's name is what people type. */
  async function evilAudit(): Promise<void> {
    await start();
    await world.open({ port: "22" }, EVIL);
    await world.open({ port: "8022" }, '<script>alert("x")</script>');
    const deadlineAt = world.clock.monotonicMs() + 60_000;
    await world.run(runAudit(world.process(), { policy: world.policy, month: MONTH, deadlineAt }));
  }

  test.each(["en", "zh"] as const)(
    "the file opens in another author's reader, in %s, and computes nothing",
    async (language) => {
      await evilAudit();
      const { overview, owners, ports, failed } = await sheetsOf(language);
      const bytes = await writeBook([overview, owners, ports, failed]);
      const book = await readXlsx(bytes);
      expect(book.sheets.map((it) => it.name)).toEqual([overview, owners, ports, failed].map((it) => it.name));
      const [, readOwners, readPorts] = book.sheets;
      expect(readOwners?.rows[0]).toEqual(owners.columns.map((it) => it.title));
      expect(readOwners?.rows).toHaveLength(owners.rows.length + 1);
      expect(readPorts?.rows).toHaveLength(ports.rows.length + 1);
      const texts = JSON.stringify(book.sheets);
      expect(texts).toContain(`'=HYPERLINK`);
      expect(texts).not.toContain('"formula"');
      const open = owners.columns.findIndex((it) => it.title === (language === "en" ? "Open" : "开放"));
      expect(readOwners?.rows.slice(1).every((row) => typeof row[open] === "number")).toBe(true);
      expect(Buffer.from(bytes).includes("<f>")).toBe(false);
    },
  );

  test("the page has no script, loads nothing, and shows what people typed as they typed it", async () => {
    await evilAudit();
    const { headers, body } = auditPage(await sheetsOf("zh", { ...whole, findingsOnly: true }), "zh");
    expect(headers["Content-Security-Policy"]).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+';/);
    expect(body).not.toMatch(/<script|javascript:|src=|href=|url\(|@import| on\w+=/i);
    expect(body).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
    expect(body).toContain("端口使用审计 2026-11");
    expect(body).toContain('<html lang="zh-CN">');
  });

  test("what does not fit is left out, and that is said", async () => {
    await evilAudit();
    const { overview, ports, isCut } = await sheetsOf("en", { ...whole, portsMax: 2 });
    expect(ports.rows).toHaveLength(2);
    expect(isCut).toBe(true);
    expect(overview.rows.at(-1)?.[1]).toMatch(/GET \/v1\/audits/);
  });
});
