// What people are told, how often and in what order, on real receivers.
import { afterEach, describe, expect, test } from "vitest";
import { readDue } from "../../../shared/store/due.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { tellOnce } from "../../../shared/usecases/notices/tell.ts";
import { runJob } from "../../../shared/usecases/operation/jobs.ts";
import { type NoticeWorld, noticeWorld } from "../../kit/notice-world.ts";

let world: NoticeWorld;
afterEach(() => world.stop());

/** Texts of a DingTalk robot's messages, in order. */
const textsOf = (name: string): readonly string[] =>
  (world.receivers[name]?.taken() ?? []).map(({ json }) => String((json["text"] as { content: string }).content));
const idsOf = (name: string): readonly string[] =>
  (world.receivers[name]?.taken() ?? []).map(({ json }) => String(json["id"]));

/** What a tick does of the job. */
async function tick(app: App = world.app()): Promise<void> {
  const { due } = await readDue(world.tables, 0, world.now, 100);
  const options = { policy: world.policy, cause: "due", deadlineAt: world.now + 30_000 };
  for (const row of due) await runJob(app, row, options);
}

describe("the job that sends", () => {
  test("tells each target once and leaves nothing behind", async () => {
    world = await noticeWorld({ hook: "webhook", ops: "dingtalk", sre: "feishu", duty: "wecom", chat: "slack" });
    const notice = await world.tell("driftFound", "a");
    expect(await world.send()).toBeNull();
    for (const receiver of Object.values(world.receivers))
      expect(receiver.received.map((it) => it.wrong)).toEqual([null]);
    expect(idsOf("hook")).toEqual([notice.id]);
    expect(await world.waiting()).toEqual([]);
  });

  test("a fact that a repeated pass tells again is not told again, also when it was told long ago", async () => {
    world = await noticeWorld({ hook: "webhook" });
    await world.tell("driftFound", "a");
    world.now += 1;
    await world.tell("driftFound", "a");
    await world.send();
    world.now += 86_400_000;
    await world.tell("driftFound", "a");
    await world.tell("driftFound", "b");
    await world.send();
    expect(idsOf("hook")).toHaveLength(2);
    expect(await world.waiting()).toEqual([]);
  });

  test("what is told of the same second while others are sent is told within a minute", async () => {
    world = await noticeWorld({ hook: "webhook" });
    const first = await world.tell("leaseOverdue", "a");
    let second: string | undefined;
    const slow = world.app({
      notifier: (inner) => ({
        send: async (...given) => {
          second ??= (await world.tell("leaseOverdue", "b")).id;
          return inner.send(...given);
        },
      }),
    });
    await tick(slow);
    expect(idsOf("hook")).toEqual([first.id]);
    world.now += 60_000;
    await tick();
    expect(idsOf("hook")).toEqual([first.id, second]);
    // With nothing left to tell the hourly run alone is to come.
    world.now += 60_000;
    await tick();
    const { due } = await readDue(world.tables, 0, world.now + 86_400_000, 100);
    expect(due.map(({ at }) => at)).toEqual([world.now + 3_600_000]);
  });

  test("an incident is not drowned: the lockdown comes first, and what may wait in one message", async () => {
    world = await noticeWorld({ ops: "dingtalk" });
    for (let n = 0; n < 120; n++) await world.tell("driftFound", `drift ${n}`);
    world.now += 1000;
    await world.tell("leaseOverdue", "late");
    world.now += 1;
    await world.tell("lockdownStarted", "now");
    await world.send();
    const texts = textsOf("ops");
    expect(texts.map((text) => text.split("\n")[0])).toEqual([
      "[safeport] LOCKDOWN of 3 groups",
      "[safeport] a port is open past its end",
      "[safeport] 120 notices",
    ]);
    expect(texts[2]).toContain("… and 100 more");
    expect(await world.waiting()).toEqual([]);
  });

  test.each(["dingtalk", "webhook"] as const)(
    "not even by hundreds of urgent ones that came before: a %s hears of the lockdown first, and alone",
    async (kind) => {
      world = await noticeWorld({ ops: kind });
      for (let n = 0; n < 500; n++) await world.tell("alarmReceived", `alarm ${n}`);
      for (let n = 0; n < 200; n++) await world.tell("leaseOverdue", `late ${n}`);
      world.now += 1000;
      await world.tell("lockdownStarted", "now");
      await world.send();
      const [first] = world.receivers["ops"]?.taken() ?? [];
      expect(JSON.stringify(first?.json)).toMatch(/LOCKDOWN of 3 groups|safeport\.lockdownStarted/);
      expect(JSON.stringify(first?.json)).not.toContain("scan");
    },
  );

  test("a robot gets no more in a minute than it takes, whoever sends, and keeps room for what is urgent", async () => {
    world = await noticeWorld({ ops: "dingtalk" }, { digestOver: 100 });
    for (let n = 0; n < 40; n++) await world.tell("driftFound", `drift ${n}`);
    const sent: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      for (let run = 0; run < 3; run++) {
        await world.send();
        world.now += 5000;
      }
      sent.push(textsOf("ops").length);
      world.now += 30_000;
    }
    // Eighteen a minute, four of them kept for what is urgent.
    expect(sent[0]).toBeLessThanOrEqual(14);
    expect(Math.max(...sent.map((count, index) => count - (sent[index - 1] ?? 0)))).toBeLessThanOrEqual(18);
    expect(await world.waiting()).toEqual([]);
  });

  test("a robot that is silent for ten minutes is left alone so long, and the others are told meanwhile", async () => {
    world = await noticeWorld({ ops: "dingtalk", hook: "webhook" });
    const { ops, hook } = world.receivers;
    if (!ops || !hook) throw new Error("no receivers");
    ops.manner = { kind: "says", body: '{"errcode":130101,"errmsg":"send too fast"}' };
    await world.tell("leaseOverdue", "a");
    const next = await world.send();
    expect(next).toBe(world.now + 600_000);
    expect(hook.received).toHaveLength(1);
    world.now += 300_000;
    await world.tell("leaseOverdue", "b");
    await world.send();
    expect(ops.received).toHaveLength(1);
    expect(hook.received).toHaveLength(2);
    ops.manner = { kind: "well" };
    await world.drain();
    expect(textsOf("ops")).toHaveLength(3);
    expect(idsOf("hook")).toHaveLength(2);
  });

  test.each([
    ["hangs", { kind: "hangs" }],
    ["answers 500", { kind: "status", status: 500 }],
    ["redirects", { kind: "status", status: 302, headers: { location: "http://127.0.0.1:1/" } }],
  ] as const)("a receiver that %s is tried again, less and less often, and told in the end", async (_, manner) => {
    world = await noticeWorld({ hook: "webhook" });
    const { hook } = world.receivers;
    if (!hook) throw new Error("no receiver");
    // Sent with less patience than the program has, so that the test need not wait for it.
    const hasty = () =>
      world.app({ notifier: (inner) => ({ send: (target, message) => inner.send(target, message, 100) }) });
    hook.manner = manner;
    await world.tell("leaseOverdue", "a");
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries++) {
      const before = world.now;
      const next = await world.send(hasty());
      waits.push((next ?? before) - before);
      world.now = Math.max(world.now + 1, next ?? 0);
    }
    expect(hook.received).toHaveLength(12);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30 * 60_000);
    expect(Math.max(...waits.slice(6))).toBeGreaterThan(Math.max(...waits.slice(0, 3)));
    hook.manner = { kind: "well" };
    await world.drain();
    expect(hook.received).toHaveLength(13);
    expect(await world.waiting()).toEqual([]);
  });

  test("what one target refuses holds up no other notice", async () => {
    world = await noticeWorld({ hook: "webhook" });
    const { hook } = world.receivers;
    if (!hook) throw new Error("no receiver");
    hook.manner = { kind: "status", status: 400 };
    await world.tell("leaseOverdue", "poison");
    const next = await world.send();
    hook.manner = { kind: "well" };
    await world.tell("driftFound", "fine");
    await world.send();
    expect(hook.received.map(({ json }) => json["type"])).toEqual(["safeport.leaseOverdue", "safeport.driftFound"]);
    world.now = next ?? 0;
    await world.drain();
    expect(await world.waiting()).toEqual([]);
  });

  test("a target that takes nothing hides no other's notices, however many wait for it, and keeps nobody at work", async () => {
    const people = { people: { ann: { targets: ["hook"] } }, roles: { operator: ["ops"] } };
    world = await noticeWorld({ hook: "webhook", ops: "dingtalk" }, people);
    const told: string[] = [];
    const away = world.app({
      notifier: () => ({
        send: async (target, message) => {
          if (target.name === "ops") return { kind: "unreached", why: "it is away" };
          told.push(message.id);
          return { kind: "sent" };
        },
      }),
    });
    for (let n = 0; n < 600; n++) await world.tell("driftFound", `drift ${n}`);
    await world.send(away);
    world.now += 1000;
    const notice = await world.tell("leaseOpened", "hers", [{ kind: "person", principal: "ann" }]);
    await world.send(away);
    expect(told).toEqual([notice.id]);
    let runs = 0;
    for (const until = world.now + 60_000; world.now < until; runs++)
      world.now = Math.max(world.now + 1, (await world.send(away)) ?? until);
    expect(runs).toBeLessThan(20);
    expect(await world.waiting()).toHaveLength(600);
  });

  test("what cannot be told for days is given up, and that is recorded", async () => {
    world = await noticeWorld({ hook: "webhook", ops: "dingtalk" }, { deadAfterDays: 2 });
    const { hook } = world.receivers;
    if (!hook) throw new Error("no receiver");
    hook.manner = { kind: "status", status: 503 };
    const notice = await world.tell("leaseOverdue", "a");
    await world.send();
    world.now += 2 * 86_400_000;
    expect(await world.send()).toBeNull();
    expect(await world.waiting()).toEqual([]);
    const { records } = await listRecords(world.tables, { limit: 10, before: null });
    expect(records.flatMap((it) => it.lines)).toEqual([
      `the notice ${notice.id} (leaseOverdue) could not be told to hook and is given up`,
    ]);
    expect(textsOf("ops")).toHaveLength(1);
  });

  test("nobody to tell, and what no version can read, leave the outbox", async () => {
    world = await noticeWorld({});
    await world.tell("leaseOverdue", "a");
    await world.tables.put("outbox", [0, 5, "nt-x"], { body: "{" }, { kind: "none" });
    expect(await world.send()).toBeNull();
    expect(await world.waiting()).toEqual([]);
    const { records } = await listRecords(world.tables, { limit: 10, before: null });
    expect(records.flatMap((it) => it.lines)).toEqual(["the notice 0/5/nt-x cannot be read and is given up"]);
  });

  test("a row that cannot be read keeps nobody from hearing of the others, nor does what is remembered of one", async () => {
    world = await noticeWorld({ hook: "webhook" });
    const { tables } = world;
    const words = { group: null, to: [{ kind: "role", role: "operator" }], data: { what: "late", since: null } };
    const bodies = {
      "nt-1": { ...words, to: undefined },
      "nt-2": { ...words, data: undefined },
      "nt-3": { ...words, data: { what: "late", since: "yesterday" } },
      "nt-4": { ...words, at: 1e300 },
    };
    for (const [id, body] of Object.entries(bodies)) {
      const notice = JSON.stringify({ id, kind: "healthAlarm", at: world.now, ...body });
      await tables.put("outbox", [0, world.now, id], { body: notice }, { kind: "none" });
    }
    const notice = await world.tell("leaseOverdue", "a");
    const damage = () => tables.put("delivery", [notice.id], { body: "{" }, { kind: "none" });
    await damage();
    expect(await world.send()).toBeNull();
    await damage();
    await tellOnce(world.app(), [notice]);
    expect([idsOf("hook"), await world.waiting()]).toEqual([[notice.id], []]);
    const { records } = await listRecords(tables, { limit: 10, before: null });
    expect(records.flatMap((it) => it.lines)).toEqual(
      Object.keys(bodies).map((name) => `the notice 0/${world.now}/${name} cannot be read and is given up`),
    );
  });

  test("owner, stand-in, group and role are told where the policy says, each target once", async () => {
    world = await noticeWorld(
      { ann: "webhook", bob: "webhook", web: "webhook", ops: "webhook", all: "webhook" },
      {
        people: { ann: { targets: ["ann"], standIn: "bob" }, bob: { targets: ["bob"] } },
        roles: { operator: ["ops", "ann"] },
        otherwise: ["all"],
      },
    );
    await world.tell("leaseOverdue", "urgent", [
      { kind: "person", principal: "ann" },
      { kind: "role", role: "operator" },
    ]);
    await world.tell("driftFound", "patient", [{ kind: "person", principal: "ann" }]);
    await world.tell("driftHeld", "nobody's", [{ kind: "person", principal: "__proto__" }]);
    await world.send();
    const counts = Object.entries(world.receivers).map(([name, it]) => [name, it.received.length]);
    expect(Object.fromEntries(counts)).toEqual({ ann: 2, bob: 1, web: 0, ops: 1, all: 1 });
  });

  test("logs and records hold no address and no secret of a robot", async () => {
    world = await noticeWorld({ ops: "dingtalk", duty: "wecom", chat: "slack" });
    for (const receiver of Object.values(world.receivers)) receiver.manner = { kind: "status", status: 500 };
    await world.tell("leaseOverdue", "a");
    await world.send();
    expect(world.logged).toHaveLength(3);
    const { rows } = await world.tables.range({ table: "delivery", from: [""], to: null, limit: 100 });
    expect(JSON.stringify([world.logged, rows])).not.toMatch(/SEC-of|t0ken|127\.0\.0\.1/);
  });
});
