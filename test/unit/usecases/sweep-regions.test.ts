// What waits for what in a tick: for no region that does not answer, and no job for what only compares groups.
import { expect, test } from "vitest";
import type { GroupId, GroupRef } from "../../../shared/domain/ids.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { dueDrift, dueGroup, dueJob, dueWrite } from "../../../shared/store/due.ts";
import type { App } from "../../../shared/usecases/app.ts";
import type { Jobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { appWorld, GROUP, START } from "./app-world.ts";

test("a region that does not answer has no group of another one wait, whatever is due in it and since when", async () => {
  const { app, policy, tables } = await appWorld();
  let giveUp = (_: Error): void => undefined;
  const silence = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  let looked = (): void => undefined;
  const isLooked = new Promise<void>((resolve) => {
    looked = resolve;
  });
  const half: App = {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (ref, priority) => {
        if (ref.region === "cn-away") return silence;
        looked();
        return app.firewall.readGroup(ref, priority);
      },
    },
  };
  const away = Array.from({ length: 20 }, (_, n): GroupRef => ({ region: "cn-away", groupId: `sg-${n}` as GroupId }));
  const old = away.map((ref) => dueGroup(ref, START - 60_000, 1));
  await tables.writeAll([...old, dueGroup(GROUP, START, 1)].map(dueWrite));
  const options = { policy, cause: "test", deadlineAt: app.clock.monotonicMs() + 60_000, jobs: null };
  const swept = sweep(half, options);
  await isLooked;
  giveUp(new CloudFailure("unknown", "DescribeSecurityGroupAttribute"));
  expect((await swept).left).toBe(20);
});

test("jobs wait for the ends of regions that answer, and for none that does not; what is due in that one stays due", async () => {
  const { app, policy, tables } = await appWorld();
  const silent: Jobs = { run: async () => true, book: async () => undefined };
  const order: string[] = [];
  let giveUp = (_: Error): void => undefined;
  const silence = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  let asked = 0;
  const half: App = {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (ref, priority) => {
        if (ref.region !== "cn-away") {
          order.push("end");
          return app.firewall.readGroup(ref, priority);
        }
        // The first is given up at once; the others only once the job has run.
        if (asked++ > 0) return silence;
        throw new CloudFailure("unknown", "DescribeSecurityGroupAttribute");
      },
    },
  };
  const away = Array.from({ length: 20 }, (_, n): GroupRef => ({ region: "cn-away", groupId: `sg-${n}` as GroupId }));
  const old = away.map((ref) => dueGroup(ref, START - 60_000, 1));
  await tables.writeAll([...old, dueGroup(GROUP, START, 1), dueJob("notify", null, START)].map(dueWrite));
  const jobs: Jobs = {
    ...silent,
    run: async () => {
      order.push("job");
      giveUp(new CloudFailure("unknown", "DescribeSecurityGroupAttribute"));
      return true;
    },
  };
  const options = { policy, cause: "test", deadlineAt: app.clock.monotonicMs() + 60_000, jobs };
  expect((await sweep(half, options)).left).toBe(20);
  expect(order).toEqual(["end", "job"]);
});

test("no job waits for groups that are only compared, however many they are and however long that takes", async () => {
  const { app, policy, tables } = await appWorld();
  let ran = (): void => undefined;
  const isRun = new Promise<void>((resolve) => {
    ran = resolve;
  });
  const slow: App = {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (ref, priority) => {
        await isRun;
        return app.firewall.readGroup(ref, priority);
      },
    },
  };
  const many = Array.from({ length: 20 }, (_, n): GroupRef => ({ ...GROUP, groupId: `sg-${n}` as GroupId }));
  await tables.writeAll([...many.map((ref) => dueDrift(ref, START, 1)), dueJob("lockdown", "x", START)].map(dueWrite));
  const jobs: Jobs = {
    run: async () => {
      ran();
      return true;
    },
    book: async () => undefined,
  };
  const options = { policy, cause: "test", deadlineAt: app.clock.monotonicMs() + 60_000, jobs };
  expect((await sweep(slow, options)).looked).toHaveLength(20);
});
