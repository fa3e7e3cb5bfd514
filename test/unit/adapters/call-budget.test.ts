// The call budget as the ECS client's gate: blocks, shares, Throttling answers and a store that fails.
import { beforeEach, describe, expect, test } from "vitest";
import { CloudClock, nextTurn } from "../../../local/clock.ts";
import { seededRandom } from "../../../local/random.ts";
import {
  type CallBudgetGate,
  type CallBudgetSettings,
  callBudget,
} from "../../../shared/adapters/alibaba/call-budget.ts";
import { type CallPriority, CloudFailure } from "../../../shared/ports/firewall.ts";
import { StoreFailure, type Tables } from "../../../shared/ports/tables.ts";
import { tableBudgets } from "../../../shared/store/budget.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const region = "cn-hangzhou";
const api = "AuthorizeSecurityGroup";

let clock: CloudClock;
let tables: Tables;
let reads = 0;
let writes = 0;
let logged: string[] = [];
/** How the store answers; replaced by tests. */
let store: <Value>(answer: () => Promise<Value>) => Promise<Value>;
const dead = () => Promise.reject(new StoreFailure("unavailable", "down"));
const silent = () => new Promise<never>(() => undefined);

beforeEach(() => {
  clock = new CloudClock({ startMs: Date.parse("2026-11-05T08:00:00Z") });
  tables = memoryTables(schemas);
  [reads, writes, logged] = [0, 0, []];
  store = (answer) => answer();
});

function instance(change: Partial<CallBudgetSettings> = {}): CallBudgetGate {
  const counted: Tables = {
    ...tables,
    get: (...args) => {
      reads++;
      return store(() => tables.get(...args));
    },
    range: (...args) => {
      reads++;
      return store(() => tables.range(...args));
    },
    put: (...args) => {
      writes++;
      return store(() => tables.put(...args));
    },
  };
  return callBudget({
    clock,
    random: seededRandom("budget"),
    log: { write: (_level, message) => void logged.push(message) },
    budgets: tableBudgets(counted),
    callsPerMinute: 200,
    ...change,
  });
}

async function call(gate: CallBudgetGate, priority: CallPriority, times = 1): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < times; n++) {
    try {
      await gate.admit(region, api, priority);
      admitted++;
    } catch (error) {
      if (!(error instanceof CloudFailure) || error.kind !== "throttled" || error.cloudCode !== null) throw error;
    }
  }
  return admitted;
}

const taken = async (): Promise<unknown> => (await tables.get("budget", [region, api]))?.columns["taken"];

describe("blocks", () => {
  test("one read and one write serve 20 calls, and the next 20 need no read", async () => {
    const gate = instance({ callsPerMinute: 1000 });
    expect(await call(gate, "open", 20)).toBe(20);
    expect([reads, writes]).toEqual([1, 1]);
    await call(gate, "open", 20);
    expect([reads, writes]).toEqual([1, 2]);
  });

  test("what is foreseen is asked for once, and the calls that come find it", async () => {
    const gate = instance();
    gate.foresee(region, [api, "DescribeSecurityGroupAttribute"], "open");
    gate.foresee(region, [api], "open");
    expect(await call(gate, "open", 3)).toBe(3);
    expect([reads, writes]).toEqual([1, 2]);
    gate.foresee(region, [api], "open");
    gate.foresee(region, [api], "end");
    await gate.settle();
    expect([reads, writes]).toEqual([1, 2]);
    expect(await taken()).toBe(20);
  });

  test("nothing is foreseen of a budget that refuses", async () => {
    const gate = instance();
    gate.throttled(region, api);
    await gate.settle();
    const before = [reads, writes];
    gate.foresee(region, [api], "open");
    await gate.settle();
    expect([reads, writes]).toEqual(before);
  });

  test("a block that a weaker caller may not use is no reason not to ask for one", async () => {
    const gate = instance();
    await call(gate, "open", 101);
    const before = reads + writes;
    gate.foresee(region, [api], "open");
    await nextTurn();
    expect(reads + writes).toBe(before);
    gate.foresee(region, [api], "inventory");
    await nextTurn();
    expect(reads + writes).toBeGreaterThan(before);
  });

  test("nothing is foreseen of a store that has just failed, even when what may be called without it is used up", async () => {
    const gate = instance();
    store = dead;
    expect(await call(gate, "open", 20)).toBe(20);
    expect(reads).toBe(1);
    gate.foresee(region, [api], "open");
    await nextTurn();
    expect(reads).toBe(1);
    await clock.advance(10_000);
    gate.foresee(region, [api], "open");
    await nextTurn();
    expect(reads).toBe(2);
  });

  test("calls at the same time share one request", async () => {
    const gate = instance();
    await Promise.all(Array.from({ length: 20 }, () => call(gate, "open")));
    expect(writes).toBe(1);
    expect(clock.sleeping).toBe(0);
  });

  test("a block lapses after 10 s, and what was left of it goes back", async () => {
    const gate = instance();
    await call(gate, "open", 5);
    await clock.advance(9_999);
    await call(gate, "open");
    expect(writes).toBe(1);
    await clock.advance(1);
    await call(gate, "open");
    expect([writes, await taken()]).toEqual([2, 26]);
  });

  test("a block does not outlive its minute", async () => {
    const gate = instance();
    await clock.advance(59_000);
    await call(gate, "open");
    await clock.advance(1_000);
    await call(gate, "open");
    expect([writes, await taken()]).toEqual([2, 20]);
  });

  test("a clock that jumps ends the block, in either direction", async () => {
    for (const jump of [-60_000, 11_000]) {
      let offset = 0;
      const jumping = {
        now: () => clock.now() + offset,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
      };
      const gate = instance({ clock: jumping });
      await call(gate, "open");
      offset = jump;
      writes = 0;
      expect(await call(gate, "open")).toBe(1);
      expect(writes).toBeGreaterThan(0);
    }
  });

  test("a block granted before a freeze that hit the request is not used after it", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    store = async (answer) => {
      const value = await answer();
      await held;
      return value;
    };
    // Clocks go on in a frozen process while nothing in it runs: the reply is there before the time limit fires.
    const frozen = { now: () => clock.now(), monotonicMs: () => clock.monotonicMs(), sleep: silent };
    const gate = instance({ clock: frozen });
    const waiting = call(gate, "open");
    await clock.advance(30_000);
    store = (answer) => answer();
    release();
    expect(await waiting).toBe(1);
    expect(writes).toBe(2);
  });

  test("regions and APIs have budgets of their own", async () => {
    const gate = instance({ callsPerMinute: 10 });
    expect(await call(gate, "open", 20)).toBe(8);
    await gate.admit("cn-beijing", api, "open");
    await gate.admit(region, "RevokeSecurityGroup", "open");
  });
});

describe("shares", () => {
  test("over all instances inventory gets half of the limit, drift 70 and opens 85 of 100", async () => {
    const [a, b] = [instance(), instance()];
    const upTo: number[] = [];
    let sum = 0;
    for (const priority of ["inventory", "drift", "open"] as const) {
      sum += (await call(a, priority, 60)) + (await call(b, priority, 60));
      upTo.push(sum);
    }
    // Some of inventory's share may be left in a block of the other instance.
    expect(upTo[0]).toBeGreaterThan(90);
    expect(upTo[0]).toBeLessThanOrEqual(100);
    expect(upTo.slice(1)).toEqual([140, 170]);
  });

  test("a weaker caller does not get the block of a stronger one beyond its share", async () => {
    const [a, b] = [instance(), instance()];
    await call(a, "open", 95);
    await call(b, "open");
    expect(await call(b, "inventory", 20)).toBeLessThanOrEqual(5);
  });

  test("a refusal is of kind throttled, has no code of the cloud, and says until when", async () => {
    const gate = instance();
    await call(gate, "open", 170);
    await expect(async () => gate.admit(region, api, "open")).rejects.toMatchObject({
      kind: "throttled",
      cloudCode: null,
      message: expect.stringContaining("until 2026-11-05T08:01:00Z"),
    });
    await clock.advance(60_000);
    expect(await call(gate, "open")).toBe(1);
  });

  test("refusals do not ask the store again and again", async () => {
    const gate = instance();
    await call(gate, "inventory", 101);
    const before = reads + writes;
    await call(gate, "inventory", 50);
    expect(reads + writes).toBe(before);
    expect(await call(gate, "open", 70)).toBe(70);
  });
});

describe("ends and lockdown", () => {
  test.each(["end", "lockdown"] as const)(
    "%s goes at once with a store that never answers, used up or not",
    (priority) => {
      store = silent;
      const gate = instance();
      for (let n = 0; n < 1000; n++) expect(gate.admit(region, api, priority)).toBeUndefined();
    },
  );

  test("they take from the block before they go beyond it", async () => {
    const gate = instance();
    await call(gate, "open");
    await call(gate, "end", 19);
    await call(gate, "open");
    expect(await taken()).toBe(39);
  });

  test("what they used is in the next request", async () => {
    const [a, b] = [instance(), instance()];
    await call(a, "end", 160);
    expect(writes).toBe(0);
    await call(a, "open");
    expect(await call(b, "open", 20)).toBeLessThan(10);
  });

  test("a block's worth of them is told at the end of the invocation; less costs nothing", async () => {
    const gate = instance();
    await gate.settle();
    await call(gate, "end", 19);
    await gate.settle();
    expect([reads, writes]).toEqual([0, 0]);
    await call(gate, "end");
    await gate.settle();
    expect(await taken()).toBe(20);
    await gate.settle();
    expect(writes).toBe(1);
  });

  test("calls of a minute that is over are not told", async () => {
    const gate = instance();
    await call(gate, "end", 50);
    await clock.advance(60_000);
    await gate.settle();
    await call(gate, "open");
    expect(await taken()).toBe(20);
  });
});

describe("a Throttling answer", () => {
  test("ends the minute and halves the next for every instance, and is forgiven slowly", async () => {
    const [a, b] = [instance(), instance()];
    await call(a, "open");
    a.throttled(region, api);
    a.throttled(region, api);
    await a.settle();
    expect([await call(b, "open"), await call(a, "open")]).toEqual([0, 0]);
    await clock.advance(60_000);
    expect((await call(b, "open", 200)) + (await call(a, "open", 200))).toBe(93);
    await clock.advance(60_000 * 9);
    expect(await call(b, "open", 200)).toBe(170);
  });

  test("is told with the next request when the invocation has not ended", async () => {
    const [a, b] = [instance(), instance()];
    a.throttled(region, api);
    expect(await call(a, "open")).toBe(0);
    expect(await call(b, "open")).toBe(0);
  });

  test("is told once", async () => {
    const gate = instance();
    gate.throttled(region, api);
    await gate.settle();
    const before = reads + writes;
    await gate.settle();
    await call(gate, "open");
    expect(reads + writes).toBe(before);
  });

  test("leaves ends and lockdown alone", async () => {
    const gate = instance();
    gate.throttled(region, api);
    expect(gate.admit(region, api, "end")).toBeUndefined();
    expect(gate.admit(region, api, "lockdown")).toBeUndefined();
  });

  test("beats a block that is on its way", async () => {
    const arrivals: (() => void)[] = [];
    store = async (answer) => {
      const value = await answer();
      await new Promise<void>((resolve) => arrivals.push(resolve));
      return value;
    };
    const gate = instance();
    const waiting = call(gate, "open");
    await nextTurn();
    arrivals.shift()?.();
    await nextTurn();
    expect(writes).toBe(1);
    gate.throttled(region, api);
    store = (answer) => answer();
    arrivals.shift()?.();
    expect(await waiting).toBe(0);
  });

  test("holds here when the store is down, and does not ask it with every call", async () => {
    store = dead;
    const gate = instance();
    gate.throttled(region, api);
    expect(await call(gate, "open", 20)).toBe(0);
    expect(reads).toBe(1);
    await gate.settle();
  });
});

describe("a store that fails", () => {
  test("leaves each instance a quarter of the limit by share, and is told once", async () => {
    store = dead;
    const gate = instance();
    expect(await call(gate, "inventory", 100)).toBe(25);
    expect(await call(gate, "open", 100)).toBe(17);
    expect(logged).toHaveLength(1);
    expect(reads).toBeLessThan(10);
    await clock.advance(60_000);
    expect(await call(gate, "open", 100)).toBe(42);
    expect(logged).toHaveLength(1);
  });

  test("without the table goes on alike, and shares once the table is there", async () => {
    tables = memoryTables();
    const gate = instance();
    expect(await call(gate, "open")).toBe(1);
    await tables.createTables(schemas);
    await clock.advance(10_000);
    await call(gate, "open");
    expect(await taken()).toBe(21);
  });

  test("and never answers holds an open up for a second", async () => {
    store = silent;
    const gate = instance();
    const opening = call(gate, "open");
    await nextTurn();
    await clock.advance(1_000);
    expect(await opening).toBe(1);
    expect(await call(gate, "open", 19)).toBe(19);
  });

  test("and never answers does not keep an invocation from its end", async () => {
    store = silent;
    const gate = instance();
    await call(gate, "end", 20);
    gate.throttled(region, api);
    const settling = gate.settle();
    await nextTurn();
    await clock.advance(1_000);
    await settling;
    expect(clock.sleeping).toBe(0);
  });

  test("hears of the calls made without it once it is back", async () => {
    store = dead;
    const gate = instance();
    await call(gate, "open", 25);
    // It is asked again with every block.
    expect(reads).toBe(2);
    store = (answer) => answer();
    await clock.advance(10_000);
    await call(gate, "open");
    expect(await taken()).toBe(25 + 19);
    store = dead;
    await clock.advance(10_000);
    await call(gate, "open");
    expect(logged).toHaveLength(2);
  });

  test("writes that always lose against others end in the same allowance", async () => {
    const gate = instance({ budgets: { read: async () => null, write: async () => null } });
    const opening = call(gate, "open");
    for (let n = 0; n < 20; n++) await clock.advance(1_000);
    expect(await opening).toBe(1);
  });
});
