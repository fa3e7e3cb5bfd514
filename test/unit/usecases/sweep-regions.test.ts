// A tick with two regions, of which one does not answer.
import { expect, test } from "vitest";
import type { GroupId, GroupRef } from "../../../shared/domain/ids.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { dueGroup, dueWrite } from "../../../shared/store/due.ts";
import type { App } from "../../../shared/usecases/app.ts";
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
