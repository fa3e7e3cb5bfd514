// Jobs run when their rows are due, and one chain of rows is left whatever dies in between.
import { describe, expect, test } from "vitest";
import { type Due, dueDelete, dueJob, dueWrite, readDue } from "../../../shared/store/due.ts";
import type { App } from "../../../shared/usecases/app.ts";
import type { JobRun } from "../../../shared/usecases/operation/job-run.ts";
import { allJobs, bookJobs, type Job, type Jobs, runJob } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { type AppWorld, appWorld, START } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";

const EVERY_MS = 60_000;

/** A periodic job that notes the instants of its runs. */
function noting(everyMs: number | null = EVERY_MS): Job & { readonly runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    beginsAt: (now) => now + 5000,
    run: async (app, { param }) => {
      runs.push(`${app.clock.now() - START}${param === null ? "" : ` ${param}`}`);
      return everyMs === null ? null : app.clock.now() + everyMs;
    },
  };
}

async function rows(world: AppWorld): Promise<readonly Due[]> {
  const { due } = await readDue(world.tables, 0, START + 1e9, 100);
  return due.filter((row) => row.kind === "job");
}

const at = async (world: AppWorld): Promise<readonly number[]> => (await rows(world)).map((row) => row.at - START);

const optionsOf = (world: AppWorld): Omit<JobRun, "param"> => ({
  policy: world.policy,
  cause: "due",
  deadlineAt: world.app.clock.monotonicMs() + 1000.5,
});

/** Runs what is due of the job, as a tick does. */
async function tick(world: AppWorld, job: Job, app: App = world.app): Promise<void> {
  const now = world.app.clock.now();
  for (const row of await rows(world)) if (row.at <= now) await runJob(app, row, optionsOf(world), { job });
}

describe("a job", () => {
  test("runs at its instant and leaves one row for the next", async () => {
    const world = await appWorld();
    const job = noting();
    await bookJobs(world.app, { job });
    await bookJobs(world.app, { job });
    expect(await at(world)).toEqual([5000]);
    world.advance(5000);
    await tick(world, job);
    expect(job.runs).toEqual(["5000"]);
    expect(await at(world)).toEqual([65_000]);
  });

  test("holds its lock to a whole millisecond, as the store keeps no fractions", async () => {
    const world = await appWorld();
    let expiresAt: unknown;
    const job: Job = {
      beginsAt: null,
      run: async ({ tables }) => {
        expiresAt = (await tables.get("lock", ["job:job"]))?.columns["expiresAt"];
        return null;
      },
    };
    await world.tables.writeAll([dueWrite(dueJob("job", null, START))]);
    await tick(world, job);
    expect(expiresAt).toBe(START + 1001 + 30_000);
  });

  test("that was booked once leaves nothing behind", async () => {
    const world = await appWorld();
    const job = noting(null);
    await world.tables.writeAll([dueWrite(dueJob("job", "a/b", START)), dueWrite(dueJob("job", "c", START))]);
    await tick(world, job);
    expect(job.runs).toEqual(["0 a/b", "0 c"]);
    expect(await at(world)).toEqual([]);
    expect(await world.tables.get("schedule", ["job/job/c"])).toBeNull();
  });

  test("that is booked in between makes no second chain", async () => {
    const world = await appWorld();
    const job = noting();
    await bookJobs(world.app, { job });
    for (const ms of [1000, 2000]) {
      await world.tables.writeAll([dueWrite(dueJob("job", null, START + ms))]);
      world.advance(1000);
      await tick(world, job);
      expect(await at(world)).toEqual([5000]);
    }
    world.advance(3000);
    await tick(world, job);
    expect(await at(world)).toEqual([65_000]);
    expect(job.runs).toEqual(["1000", "2000", "5000"]);
  });

  test("that waits for a run whose row was lost comes then all the same", async () => {
    const world = await appWorld();
    const job = noting();
    await bookJobs(world.app, { job });
    await world.tables.writeAll([dueDelete(dueJob("job", null, START + 5000)), dueWrite(dueJob("job", null, START))]);
    await tick(world, job);
    expect(await at(world)).toEqual([5000]);
  });

  test("whose row was lost is booked for when it was to run, and at once where that has passed", async () => {
    const world = await appWorld();
    const job = noting();
    await bookJobs(world.app, { job });
    for (const ms of [1000, 7000]) {
      await world.tables.writeAll([dueDelete(dueJob("job", null, START + 5000))]);
      world.advance(ms);
      await bookJobs(world.app, { job });
      expect(await at(world)).toEqual([Math.max(5000, world.app.clock.now() - START)]);
    }
  });

  test("that ends while somebody looks for its row is not booked to run once more", async () => {
    const world = await appWorld();
    const job = noting();
    await bookJobs(world.app, { job });
    world.advance(5000);
    const { tables } = world.app;
    const get: App["tables"]["get"] = async (table, key) => {
      if (table === "due") await tick(world, job);
      return tables.get(table, key);
    };
    await bookJobs({ ...world.app, tables: { ...tables, get } }, { job });
    expect([job.runs, await at(world)]).toEqual([["5000"], [65_000]]);
  });

  test("that wants to come sooner than it was booked comes sooner alone", async () => {
    const world = await appWorld();
    const job = noting(1500);
    await bookJobs(world.app, { job });
    await world.tables.writeAll([dueWrite(dueJob("job", null, START))]);
    await tick(world, job);
    expect(await at(world)).toEqual([1500]);
  });

  test("that fails stays due", async () => {
    const world = await appWorld();
    const failing: Job = { beginsAt: null, run: () => Promise.reject(new Error("no")) };
    await world.tables.writeAll([dueWrite(dueJob("job", null, START))]);
    await expect(tick(world, failing)).rejects.toThrow("no");
    const job = noting();
    await tick(world, job);
    expect(job.runs).toEqual(["0"]);
  });

  test("that another process runs is left to it", async () => {
    const world = await appWorld();
    const job = noting();
    const row = dueJob("job", null, START);
    await world.tables.writeAll([dueWrite(row)]);
    let inner: boolean | undefined;
    const outer: Job = {
      beginsAt: null,
      run: async (app) => {
        inner = await runJob(app, row, optionsOf(world), { job });
        return null;
      },
    };
    expect(await runJob(world.app, row, optionsOf(world), { job: outer })).toBe(true);
    expect(inner).toBe(false);
    expect(job.runs).toEqual([]);
  });

  test("runs on, once at a time and in one chain, whichever write its process died before", async () => {
    for (let n = 0; n < 12; n++) {
      const world = await appWorld();
      const job = noting();
      await bookJobs(dyingAt(world.app, n), { job }).catch(() => undefined);
      await bookJobs(world.app, { job });
      world.advance(5000);
      await tick(world, job, dyingAt(world.app, n)).catch(() => undefined);
      // The lock of the dead process lapses.
      world.advance(100_000);
      await bookJobs(world.app, { job });
      await tick(world, job);
      for (let times = 0; times < 3; times++) {
        world.advance(EVERY_MS);
        await tick(world, job);
        await tick(world, job);
        expect(await at(world), `write ${n}`).toHaveLength(1);
      }
      // What the dead process may have run, or has left two rows of, is run once more and then no longer.
      expect(job.runs.length - new Set(job.runs).size, `write ${n}: ${job.runs}`).toBeLessThanOrEqual(1);
      expect(job.runs.length, `write ${n}: ${job.runs}`).toBeGreaterThanOrEqual(4);
    }
  });

  test("of another version waits, and keeps nothing else from its turn", async () => {
    const world = await appWorld();
    await world.tables.writeAll([
      dueWrite(dueJob("of-tomorrow", null, START)),
      dueWrite(dueJob("canary", null, START)),
    ]);
    const { left } = await sweep(world.app, { ...optionsOf(world), jobs: allJobs });
    expect(left).toBe(1);
    expect((await rows(world)).map((row) => [row.id, row.at - START])).toEqual([
      ["of-tomorrow", 0],
      ["canary", 3_600_000],
    ]);
  });

  test("that takes its time keeps neither other jobs nor the full pass from their turn", async () => {
    const world = await appWorld();
    const fullPass = { ...dueJob("hourly", null, START - 1), kind: "full-pass" } as const;
    const ids = ["audit/1", "start/1", "audit/2", "start/2"];
    await world.tables.writeAll([dueWrite(fullPass), ...ids.map((id) => dueWrite(dueJob(id, null, START)))]);
    const begun: string[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const jobs: Jobs = {
      run: async (_app, { id }) => {
        begun.push(id);
        if (id.startsWith("audit")) await released;
        return true;
      },
      // With the end of the full pass.
      book: async () => {
        begun.push("booked");
        release();
      },
    };
    await sweep(world.app, { ...optionsOf(world), jobs });
    expect(begun.slice(0, 2).sort()).toEqual(["start/1", "start/2"]);
    expect(begun.slice(2).sort()).toEqual(["audit/1", "audit/2", "booked"]);
  });

  test("that people wait for does not wait for the others of its kind", async () => {
    const world = await appWorld();
    const ids = ["start/1", "start/2", "start/3"];
    await world.tables.writeAll(ids.map((id) => dueWrite(dueJob(id, null, START))));
    let waiting = 0;
    let goOn = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const run: Jobs["run"] = async () => {
      waiting += 1;
      if (waiting === ids.length) goOn();
      await all;
      return true;
    };
    await sweep(world.app, { ...optionsOf(world), jobs: { ...allJobs, run } });
    expect(waiting).toBe(3);
  });
});
