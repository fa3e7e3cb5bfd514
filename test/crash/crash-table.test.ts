// The crash table: everything that can go wrong at each cloud call of opening, extending, ending and expiring, one call at a time.
import { afterEach, describe, expect, test } from "vitest";
import type { Fault } from "../../local/faults.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { StoreFailure } from "../../shared/ports/tables.ts";
import { listLeases } from "../../shared/store/leases.ts";
import type { App } from "../../shared/usecases/app.ts";
import { decideLease } from "../../shared/usecases/approval/decide-lease.ts";
import { justifyLease } from "../../shared/usecases/approval/justify-lease.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { type Interposer, type ProgramCall, World } from "../kit/world.ts";

class Crashed extends Error {
  override readonly name = "Crashed";
}

/** What happens at the call number `at` of the process, counted from 0. `seen` is told the call. */
type Mode = (at: number, seen: (call: ProgramCall) => void) => Interposer;

/** Dies at the call: nothing it starts from then on happens. */
const dying =
  (instead: (call: ProgramCall, act: () => Promise<unknown>) => Promise<unknown>): Mode =>
  (at, seen) => {
    let turn = 0;
    let dead = false;
    return async (call, act) => {
      if (dead) throw new Crashed();
      if (turn++ !== at) {
        const answer = await act();
        if (dead) throw new Crashed();
        return answer;
      }
      dead = true;
      seen(call);
      await instead(call, act);
      throw new Crashed();
    };
  };

/** Lives on, with an error in place of the answer of a call to the store. */
const failing =
  (effect: "before" | "after"): Mode =>
  (at, seen) => {
    let turn = 0;
    return async (call, act) => {
      if (turn++ !== at || call.service !== "tables") return act();
      seen(call);
      if (effect === "after") await act();
      throw new StoreFailure("unavailable", call.name);
    };
  };

const modes: Readonly<Record<string, Mode>> = {
  "dies before the call": dying(async () => undefined),
  "dies after its effect": dying((_, act) => act().catch(() => undefined)),
  "dies half-way through a batch": dying((call, act) => (call.half ?? act)().catch(() => undefined)),
  "the store fails before the effect": failing("before"),
  "the store's reply is lost": failing("after"),
};

const ecsFaults: Readonly<Record<string, Fault>> = {
  "the connection breaks before the effect": { kind: "drop-before" },
  "the reply is lost": { kind: "drop-after" },
  "the effect comes 60 s after a lost reply": { kind: "late-effect", ms: 60_000 },
  "a gateway answers HTML": { kind: "html-502" },
  "the call is refused": { kind: "reject", status: 403, code: "Forbidden.RAM" },
  "the call is throttled": { kind: "reject", status: 400, code: "Throttling.User" },
  "a read is 30 s old": { kind: "stale-read", ms: 30_000 },
};

interface Scenario {
  /** Leaves the world where the disturbed work begins. */
  readonly prepare: (world: World) => Promise<Lease | null>;
  readonly act: (world: World, app: App, lease: Lease | null) => Promise<unknown>;
  /** What the caller does when no answer came: the same again, by another process. */
  readonly retry?: (world: World) => Promise<unknown>;
  /** Whether the lease is to be open some minutes later; null where an answer says nothing about that. */
  readonly opens: boolean | null;
  /** Of work of many calls: only each so manieth is disturbed, unless `CRASH_POINTS=all`. */
  readonly step?: number;
  /** True where the state is kept by the embedded Tablestore over its wire; else in memory, unless `CRASH_POINTS=all`. */
  readonly onWire?: boolean;
  /** True where ECS is called as another scenario does: the store alone is disturbed. */
  readonly storeOnly?: boolean;
  /** How far ahead the act books an end; default: as `world.ask` does. */
  readonly booksMs?: number;
  /** What does not hold in the end, beside the rules and rows that are looked at for all. */
  readonly finally?: (lease: Lease, acted: "answered" | "failed") => Promise<readonly string[]>;
}

/** Every lease needs a second person, who has half an hour. */
const ONE_MORE = {
  approval: {
    ports: [{ from: 1, to: 65_535 }],
    where: { groups: [], tags: [], applications: [] },
    count: 1,
    decideWithinMs: 1_800_000,
    useWithinMs: 600_000,
    issuerMayApprove: false,
    distinctIssuers: false,
  },
};
/** Who asks may also open at once, and say why afterwards. */
const BREAK_GLASS = {
  breakGlass: { persons: [], roles: ["requester" as const], periodMaxMs: 900_000, justifyWithinMs: 3_600_000 },
};
/** A request is decided about in one way, by the record as well as by its row, and nobody is asked about it any more. */
const decided =
  (state: string) =>
  async ({ request, status }: Lease, acted: "answered" | "failed"): Promise<readonly string[]> => {
    const records = (await world.recorded()).join("\n");
    const waiting = await world.rows("attention");
    return [
      ...(acted === "answered" && status.state !== state ? [`answered as ${state}, and it is ${status.state}`] : []),
      ...(records.includes(`${request.leaseId} is ${status.state}`)
        ? []
        : [`no record says that it is ${status.state}`]),
      ...(waiting.length > 0 ? [`it still waits: ${waiting}`] : []),
    ];
  };
const WORD = { decision: "approve", reason: "", change: null, via: "api" } as const;
const ASK_MS = 600_000;
const EXTEND_MS = 900_000;

const START_MS = 120_000;
const soon = (world: World): number => Math.ceil(world.clock.now() / 1000) * 1000 + START_MS;

const createOptions = { mode: "create", idempotencyKey: null, dryRun: false } as const;

const opened = async (world: World): Promise<Lease> => (await world.open()).lease;

const withKey = (app: App): Promise<unknown> =>
  openLease(app, world.caller(), world.ask(), { mode: "create", idempotencyKey: "k-1", dryRun: false });

const scenarios: Readonly<Record<string, Scenario>> = {
  open: {
    prepare: async () => null,
    act: (world, app) =>
      openLease(app, world.caller(), world.ask(), { mode: "repeat", idempotencyKey: null, dryRun: false }),
    opens: true,
    onWire: true,
  },
  "open with an Idempotency-Key, sent again": {
    prepare: async () => null,
    act: (_, app) => withKey(app),
    retry: (world) => world.run(withKey(world.process())),
    opens: true,
  },
  expire: {
    prepare: async (world) => {
      const lease = await opened(world);
      await world.advance(lease.status.until - world.clock.now());
      return lease;
    },
    act: (world, app) => world.sweep(app),
    opens: false,
  },
  extend: {
    prepare: opened,
    act: (world, app, lease) =>
      extendLease(app, world.caller(), lease?.request.leaseId as Lease["request"]["leaseId"], EXTEND_MS, {
        dryRun: false,
      }),
    opens: true,
    booksMs: EXTEND_MS,
  },
  approve: {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE };
      return opened(world);
    },
    act: (world, app, lease) =>
      decideLease(app, world.caller("bob", ["approver"]), lease?.request.leaseId as Lease["request"]["leaseId"], WORD, {
        dryRun: false,
      }),
    opens: true,
    storeOnly: true,
  },
  "ask for what has to be approved": {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE };
      return null;
    },
    act: (world, app) => openLease(app, world.caller(), world.ask(), createOptions),
    opens: false,
    storeOnly: true,
    booksMs: 2 * 3_600_000,
  },
  deny: {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE };
      return opened(world);
    },
    act: (world, app, lease) =>
      decideLease(
        app,
        world.caller("bob", ["approver"]),
        lease?.request.leaseId as Lease["request"]["leaseId"],
        { ...WORD, decision: "deny", reason: "use the replica" },
        { dryRun: false },
      ),
    opens: false,
    storeOnly: true,
    step: 4,
    finally: decided("denied"),
  },
  lapse: {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE };
      const lease = await opened(world);
      await world.ticks(29);
      await world.advance(lease.status.until - world.clock.now());
      return lease;
    },
    act: (world, app) => world.sweep(app),
    opens: false,
    storeOnly: true,
    step: 5,
    // The sweep answers whatever becomes of a job: the next one takes it up.
    finally: (lease) => decided("lapsed")(lease, "answered"),
  },
  cancel: {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE };
      return opened(world);
    },
    act: (world, app, lease) =>
      endLease(app, world.caller(), lease?.request.leaseId as Lease["request"]["leaseId"], { dryRun: false }),
    opens: false,
    storeOnly: true,
    step: 4,
    finally: decided("cancelled"),
  },
  justify: {
    prepare: async (world) => {
      world.policy = { ...world.policy, ...ONE_MORE, ...BREAK_GLASS };
      return (await world.open({ breakGlass: true, reason: "orders are failing" })).lease;
    },
    act: (world, app, lease) =>
      justifyLease(app, world.caller(), lease?.request.leaseId as Lease["request"]["leaseId"], "the shop was down", {
        dryRun: false,
      }),
    opens: null,
    storeOnly: true,
    step: 3,
    finally: async ({ justification, request }, acted) => {
      const waiting = await world.rows("attention");
      const isTold = (await world.recorded()).includes(`${request.leaseId} is justified: the shop was down`);
      return [
        ...(acted === "answered" && justification === null ? ["answered, and it is not justified"] : []),
        ...(justification !== null && !isTold ? ["it is justified, and no record says so"] : []),
        // Until it is, it says so; from then on it does not.
        ...((justification === null) === waiting.length > 0
          ? []
          : [`justified: ${justification?.text}, and ${waiting}`]),
      ];
    },
  },
  "ask for a later start": {
    prepare: async () => null,
    act: (world, app) => openLease(app, world.caller(), world.ask({ startAt: soon(world) }), createOptions),
    opens: true,
    storeOnly: true,
    booksMs: START_MS + ASK_MS,
  },
  start: {
    prepare: async (world) => {
      const { lease } = await world.open({ startAt: soon(world) });
      await world.advance(START_MS);
      return lease;
    },
    act: (world, app) => world.sweep(app),
    opens: null,
    step: 17,
  },
  "end early": {
    prepare: opened,
    act: (world, app, lease) =>
      endLease(app, world.caller(), lease?.request.leaseId as Lease["request"]["leaseId"], { dryRun: false }),
    opens: false,
  },
};

let world: World;
afterEach(() => world.stop());

const isOurs = (rule: { description: string }) => rule.description.startsWith("safeport/1 test ");
const BASE = ["80/80", "443/443"];
const READ = "ecs DescribeSecurityGroupAttribute";
const REVOKE = "ecs RevokeSecurityGroup";
const STALE = { kind: "stale-read", ms: 30_000 } as const;

/** Minutes pass until all is over, and everything that must hold is looked at; answers what does not. */
async function faultsFound(scenario: Scenario, acted: "answered" | "failed"): Promise<string[]> {
  const wrong: string[] = [];
  const booked = world.clock.now() + (scenario.booksMs ?? ASK_MS);
  await world.ticks(4);
  const { leases } = await listLeases(world.process().tables, { limit: 10, before: null });
  const [lease] = leases;
  const ours = world.rules().filter(isOurs);
  if (leases.length > 1) wrong.push(`${leases.length} leases`);
  if (ours.length > 1) wrong.push(`${ours.length} rules of ours`);
  if (scenario.opens && acted === "answered" && lease?.status.state !== "open")
    wrong.push(`answered, and the lease is ${lease?.status.state ?? "lost"}`);
  if (lease?.status.state === "open" && ours.length !== 1)
    wrong.push(`the lease is open and ${ours.length} rules stand`);
  if (lease && ["approved", "opening", "closing"].includes(lease.status.state))
    wrong.push(`four minutes later the lease is ${lease.status.state}`);
  if (scenario.opens === false && acted === "answered" && ours.length > 0)
    wrong.push("answered as ended, and the rule stands");
  if (!lease && ours.length > 0) wrong.push("a rule without a lease");

  const end = lease?.status.until ?? booked;
  if (end > world.clock.now()) await world.ticks(Math.ceil((end + 75_000 - world.clock.now()) / 60_000));
  if (world.rules().some(isOurs)) wrong.push("75 s past its end the rule stands");
  // What was booked for an opening or an extension that never came to be lies at the end it would have had.
  if (booked > world.clock.now()) await world.ticks(Math.ceil((booked - world.clock.now()) / 60_000));
  await world.ticks(3);
  const [last] = (await listLeases(world.process().tables, { limit: 1, before: null })).leases;
  if (last && !["closed", "failed", "lapsed", "cancelled", "denied"].includes(last.status.state))
    wrong.push(`at last the lease is ${last.status.state}`);
  if (
    world
      .rules()
      .map((rule) => rule.portRange)
      .join() !== BASE.join()
  )
    wrong.push(`at last the group has ${world.rules().map((rule) => rule.portRange)}`);
  for (const table of ["ledger", "intent"] as const) {
    const rows = await world.rows(table);
    if (rows.length > 0) wrong.push(`at last ${table} has ${rows}`);
  }
  if (last && scenario.finally) wrong.push(...(await scenario.finally(last, acted)));
  const due = (await world.rows("due")).filter((row) => !/installation|full-pass|job/.test(row));
  if (due.length > 0) wrong.push(`at last due has ${due}`);
  return wrong;
}

async function disturbed(
  scenario: Scenario,
  interposer: Interposer,
  before: () => void = () => undefined,
): Promise<string[]> {
  const lease = await scenario.prepare(world);
  before();
  const acted = await world.run(scenario.act(world, world.process(interposer), lease)).then(
    () => "answered" as const,
    () => "failed" as const,
  );
  world.faults([]);
  if (acted === "failed" && scenario.retry) {
    const again = await scenario.retry(world).then(
      () => "answered" as const,
      () => "failed" as const,
    );
    return faultsFound(scenario, again);
  }
  return faultsFound(scenario, acted);
}

const ALL = process.env["CRASH_POINTS"] === "all";

describe.each(Object.entries(scenarios))("%s", (_name, scenario) => {
  test.each(Object.entries(modes))("%s", async (_mode, mode) => {
    const wrong: string[] = [];
    for (let at = 0; ; at += ALL ? 1 : (scenario.step ?? 1)) {
      world = await World.start({ inMemory: !(scenario.onWire || ALL) });
      let name = "";
      let calls = 0;
      const interposer = mode(at, (call) => {
        name = call.name;
      });
      const found = await disturbed(scenario, (call, act) => {
        calls += 1;
        return interposer(call, act);
      });
      await world.stop();
      wrong.push(...found.map((text) => `call ${at} (${name}): ${text}`));
      // The work has fewer calls than that: nothing was disturbed.
      if (calls <= at) break;
    }
    expect(wrong).toEqual([]);
  });

  test.each(scenario.storeOnly ? [] : Object.entries(ecsFaults))("%s, at each call to ECS", async (_fault, fault) => {
    const wrong: string[] = [];
    for (let skip = 0; skip < 8; skip++) {
      world = await World.start({ inMemory: !ALL });
      const found = await disturbed(
        scenario,
        (_, act) => act(),
        () => world.faults([{ service: "ecs", skip, times: 1, fault }]),
      );
      await world.stop();
      wrong.push(...found.map((text) => `call ${skip}: ${text}`));
    }
    expect(wrong).toEqual([]);
  });
});

test("what a dead process has changed is recorded by the pass that takes over", async () => {
  world = await World.start();
  let dead = false;
  const dying: Interposer = async (call, act) => {
    if (dead) throw new Crashed();
    const answer = await act();
    dead = call.name === "ecs AuthorizeSecurityGroup";
    if (dead) throw new Crashed();
    return answer;
  };
  await world.run(openLease(world.process(dying), world.caller(), world.ask(), createOptions)).catch(() => undefined);
  expect(world.rules().some(isOurs)).toBe(true);
  await world.ticks(4);
  expect((await world.recorded()).join("\n")).toMatch(
    /authorize e-\w+ \(a lease asks for it\), begun by an earlier pass/,
  );
});

const latest = async (the: World) => (await listLeases(the.process().tables, { limit: 1, before: null })).leases[0];

test("who asks for what was just revoked is told that it is open by no reading of before", async () => {
  world = await World.start({ inMemory: true });
  const before = await opened(world);
  await world.advance(before.status.until - world.clock.now());
  let isRevoked = false;
  const unread: Interposer = async (call, act) => {
    if (isRevoked && call.name === READ) throw new CloudFailure("throttled", "DescribeSecurityGroupAttribute");
    const answer = await act();
    isRevoked ||= call.name === REVOKE;
    return answer;
  };
  await world.sweep(world.process(unread));
  expect([isRevoked, world.rules().some(isOurs)]).toEqual([true, false]);
  await world.advance(5_000);
  world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", times: 1, fault: STALE }]);
  // Whoever comes to the call that would tell better, dies there.
  const dying: Interposer = async (call, act) => {
    if (call.name === REVOKE) throw new Crashed();
    return act();
  };
  const asked = openLease(world.process(dying), world.caller(), world.ask(), createOptions);
  await expect(world.run(asked)).rejects.toThrow(Crashed);
  const lease = await latest(world);
  expect([lease?.status.state, world.rules().some(isOurs)]).toEqual(["opening", false]);
  await world.ticks(3);
  const later = await latest(world);
  expect([later?.request.leaseId, later?.status.state]).toEqual([lease?.request.leaseId, "open"]);
  expect(world.rules().filter(isOurs)).toHaveLength(1);
});

test.each(["nobody dies", "whoever opens it dies before it authorizes"])(
  "who asks for what a revoke has yet to close has it for good, although %s",
  async (death) => {
    world = await World.start({ inMemory: true });
    const before = await opened(world);
    await world.advance(before.status.until - world.clock.now());
    world.faults([
      { service: "ecs", operation: "RevokeSecurityGroup", times: 1, fault: { kind: "late-effect", ms: 60_000 } },
    ]);
    let revokes = 0;
    const dying: Interposer = async (call, act) => {
      if (call.name === REVOKE && ++revokes > 1) throw new Crashed();
      return act();
    };
    await world.run(world.sweep(world.process(dying))).catch(() => undefined);
    expect([revokes, world.rules().some(isOurs)]).toEqual([2, true]);
    await world.advance(5_000);
    const unlucky: Interposer = async (call, act) => {
      if (call.name === "ecs AuthorizeSecurityGroup" && death !== "nobody dies") throw new Crashed();
      return act();
    };
    await world
      .run(openLease(world.process(unlucky), world.caller(), world.ask(), createOptions))
      .catch((error) => expect([death, error]).toEqual([expect.stringContaining("authorize"), expect.any(Crashed)]));
    await world.ticks(3);
    const lease = await latest(world);
    expect([lease?.request.leaseId === before.request.leaseId, lease?.status.state]).toEqual([false, "open"]);
    expect(world.rules().filter(isOurs)).toHaveLength(1);
  },
);
