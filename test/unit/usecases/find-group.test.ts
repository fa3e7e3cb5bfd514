// A group by its id in several regions, of which one does not answer.
import { expect, test } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { findGroup } from "../../../shared/usecases/group/find-group.ts";
import { appWorld, GROUP } from "./app-world.ts";

const twoRegions = async () => {
  const { app, policy } = await appWorld();
  return { app, away: { ...policy, regions: ["cn-away", ...policy.regions] } };
};
const withGroup = (app: App, group: App["inventory"]["group"]): App => ({
  ...app,
  inventory: { ...app.inventory, group },
});

test("a group by its id is found though another region does not answer", async () => {
  const { app, away } = await twoRegions();
  const silent = withGroup(app, (ref, ...rest) =>
    ref.region === "cn-away" ? new Promise<never>(() => undefined) : app.inventory.group(ref, ...rest),
  );
  expect((await findGroup(silent, away, GROUP.groupId)).ref).toEqual(GROUP);
});

test("where none of those that answer has it nobody knows whether there is one", async () => {
  const { app, away } = await twoRegions();
  const half = withGroup(app, async (ref) => {
    if (ref.region !== "cn-away") return null;
    throw new CloudFailure("unknown", "DescribeSecurityGroups");
  });
  await expect(findGroup(half, away, GROUP.groupId)).rejects.toMatchObject({ kind: "unknown" });
  await expect(
    findGroup(
      withGroup(app, async () => null),
      away,
      GROUP.groupId,
    ),
  ).rejects.toMatchObject({ code: "GROUP_UNKNOWN" });
});
