// Cutting sessions: what is refused before anything is booked, and how long a look may take.
import { describe, expect, test } from "vitest";
import { parseGrant } from "../../../shared/domain/grant.ts";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import type { Member } from "../../../shared/ports/firewall.ts";
import type { Hosts } from "../../../shared/ports/hosts.ts";
import { dueDelete, readDue } from "../../../shared/store/due.ts";
import { getLease } from "../../../shared/store/leases.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { cutSessions, requireCuttable } from "../../../shared/usecases/lease/cut-sessions.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { NET_AFTER_MS } from "../../../shared/usecases/ledger/book-holds.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";
import { frozenAt } from "./frozen-app.ts";

const specsOf = (change = {}) => {
  const ask = { protocol: "tcp", port: "22", sources: ["203.0.113.7"], priority: 100, ...change };
  const grant = parseGrant(ask as Parameters<typeof parseGrant>[0]);
  if (!grant.ok) throw new Error(JSON.stringify(grant));
  return grant.specs;
};

const member = (n: number, instanceId: string | null = `i-${n}`): Member => ({
  ...{
    eniId: `eni-${n}`,
    instanceId,
    instanceName: "",
    address: `192.168.1.${n}`,
    ipv6: [],
    groupIds: [GROUP.groupId],
  },
  serviceManaged: false,
});

/** Hosts of which every agent is online but one. */
const hosts = (offline = "", more: Partial<Hosts> = {}): Hosts => ({
  agents: async (_region, ids) =>
    new Map(ids.map((id) => [id, { isOnline: id !== offline, hasSessionManager: true }] as const)),
  run: async () => "run-1",
  result: async () => ({ kind: "running" }),
  ...more,
});

describe("sessions are not promised to be cut", () => {
  const whyNot = async (app: object, members: readonly Member[], specs = specsOf()): Promise<string> => {
    const asked = requireCuttable(app as App, "cn-hangzhou", specs, members);
    return asked.then(
      () => "",
      (error: { code: string; message: string }) => `${error.code} ${error.message}`,
    );
  };
  const app = { hosts: async () => hosts("i-9") };

  test("but where every host could", async () => {
    expect(await whyNot(app, [member(1), member(2)])).toBe("");
    expect(await whyNot(app, [])).toBe("");
  });

  test.each<[string, object, readonly Member[], RegExp]>([
    ["without Cloud Assistant", {}, [member(1)], /not switched on/],
    ["where an interface belongs to no instance", app, [member(1), member(2, null)], /belongs to no instance/],
    ["on more than fifty hosts", app, Array.from({ length: 51 }, (_, n) => member(n + 10)), /51 instances, and 50/],
    ["where one agent does not answer", app, [member(1), member(9)], /does not answer on i-9/],
  ])("%s", async (_, parts, members, why) => {
    const said = await whyNot(parts, members);
    expect(said).toMatch(/^SESSIONS_NOT_CUT /);
    expect(said).toMatch(why);
  });

  test.each<[string, object]>([
    ["for UDP", { protocol: "udp", port: "53" }],
    ["for the ports of what the host itself begins", { port: "40000-40001" }],
    ["for many ports", { port: "1000-1016" }],
    ["for sources that hold the host's own loopback address", { sources: ["0.0.0.0/0"] }],
  ])("%s", async (_, change) => {
    expect(await whyNot(app, [member(1)], specsOf(change))).toMatch(/^SESSIONS_NOT_CUT /);
  });
});

describe("a look at what is to be cut", () => {
  /** `open`: the group's rules while the lease was. */
  async function ended(its: Hosts): Promise<{ world: AppWorld; app: App; leaseId: LeaseId; open: readonly Rule[] }> {
    const world = await appWorld();
    const app: App = { ...world.app, hosts: async () => its };
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    const { lease } = await openLease(app, world.caller(), anAsk({ sessions: "cut" }), options);
    const open = [...world.rules];
    const policy = world.policy;
    world.advance(lease.status.until - app.clock.now());
    await sweep(app, { policy, cause: "due", deadlineAt: app.clock.monotonicMs() + 50_000, jobs: null });
    expect((await getLease(app.tables, lease.request.leaseId))?.status.state).toBe("closed");
    return { world, app, leaseId: lease.request.leaseId, open };
  }

  test("begins nothing after its deadline, stops asking at it, and goes on with the next", async () => {
    const calls: string[] = [];
    let answers = false;
    const its = hosts("", {
      run: async (_region, id) => {
        calls.push(`run ${id}`);
        return "run-1";
      },
      result: async () => {
        calls.push("result");
        return answers ? { kind: "done", exitCode: 0, output: "ended 1 left 0" } : { kind: "running" };
      },
    });
    const { world, app, leaseId } = await ended(its);
    const look = (ms: number) =>
      cutSessions(app, { policy: world.policy, param: leaseId, deadlineAt: app.clock.monotonicMs() + ms });
    expect([await look(0), calls]).toEqual([app.clock.now() + 5000, []]);
    const before = app.clock.monotonicMs();
    await look(1000);
    expect(app.clock.monotonicMs() - before).toBeLessThanOrEqual(1000);
    expect(calls).toEqual(["run i-1", "result", "result"]);
    answers = true;
    expect(await look(10_000)).toBeNull();
    expect((await getLease(app.tables, leaseId))?.sessionsOutcome).toMatch(/^i-1: /);
  });

  test("does not take the rule that has just been closed, and that a stale reading shows, for another way in", async () => {
    const output = "safeport-left\n";
    const its = hosts("", { result: async () => ({ kind: "done", exitCode: 0, output }) });
    const { world, app, leaseId, open } = await ended(its);
    expect([open.length, world.rules]).toEqual([1, []]);
    world.rules = [...open];
    const ask = { policy: world.policy, param: leaseId, deadlineAt: app.clock.monotonicMs() + 10_000 };
    expect(await cutSessions(app, ask)).toBeNull();
    expect((await getLease(app.tables, leaseId))?.sessionsOutcome).toBe("i-1: 0 ended, 0 left");
  });

  test.each([
    ["somebody else's copy of its words", (rule: Rule) => ({ ...rule, priority: 7 })],
    ["a rule without our mark", (rule: Rule) => ({ ...rule, description: "" })],
  ])("takes %s for another way in", async (_, changed) => {
    const { world, app, leaseId, open } = await ended(hosts());
    world.rules = open.map(changed);
    const ask = { policy: world.policy, param: leaseId, deadlineAt: app.clock.monotonicMs() + 10_000 };
    expect(await cutSessions(app, ask)).toBeNull();
    expect((await getLease(app.tables, leaseId))?.sessionsOutcome).toMatch(/^i-1: kept, another rule lets them in/);
  });
});

describe("a lease that is ended early", () => {
  async function opened(): Promise<{ world: AppWorld; app: App; leaseId: LeaseId; until: number }> {
    const world = await appWorld();
    const app: App = { ...world.app, hosts: async () => hosts() };
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    const { lease } = await openLease(app, world.caller(), anAsk({ sessions: "cut" }), options);
    return { world, app, leaseId: lease.request.leaseId, until: lease.status.until };
  }

  /** The process dies when it takes the group's lock: nothing of the end is done but what the ledger says. */
  const endAndDie = async (app: App, world: AppWorld, leaseId: LeaseId): Promise<void> => {
    const put: App["tables"]["put"] = (table, ...row) =>
      table === "lock" ? Promise.reject(new Error("died")) : app.tables.put(table, ...row);
    const dying: App = { ...app, tables: { ...app.tables, put } };
    await expect(endLease(dying, world.caller(), leaseId, { dryRun: false })).rejects.toThrow("died");
  };
  const look = (app: App, { policy }: AppWorld, param: LeaseId) =>
    cutSessions(app, { policy, param, deadlineAt: app.clock.monotonicMs() + 1000 });

  test("is looked at again soon while its row still says that it is open", async () => {
    const { world, app, leaseId, until } = await opened();
    expect(await look(app, world, leaseId)).toBe(until);
    await endAndDie(app, world, leaseId);
    expect((await getLease(app.tables, leaseId))?.status.state).toBe("open");
    expect(await look(app, world, leaseId)).toBe(app.clock.now() + 5000);
  });

  test("has its sessions looked at soon, whatever was looked at before the ledger said so", async () => {
    let isFrozen = true;
    for (let nth = 0; isFrozen; nth++) {
      const { world, app, leaseId } = await opened();
      isFrozen = false;
      const jobs = async () => {
        const { due } = await readDue(app.tables, 0, app.clock.now() + NET_AFTER_MS, 100);
        return due.filter(({ id }) => id === `sessions/${leaseId}`);
      };
      const frozen = frozenAt(app, nth, async () => {
        isFrozen = true;
        // What is due by now is run, and is booked for the lease's end again.
        const over = (await jobs()).filter(({ at }) => at <= app.clock.now());
        await app.tables.writeAll(over.map(dueDelete));
      });
      await endAndDie(frozen, world, leaseId);
      expect(await jobs(), `before the write ${nth}`).not.toEqual([]);
    }
  });
});
