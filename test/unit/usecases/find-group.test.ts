// A group by its id in several regions, of which one does not answer.
import { expect, test } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { findGroup } from "../../../shared/usecases/group/find-group.ts";
import { appWorld, GROUP } from "./app-world.ts";

test("a group by its id is found though another region does not answer", async () => {
  const { app, policy } = await appWorld();
  const away = { ...policy, regions: ["cn-away", ...policy.regions] };
  const silent = {
    ...app,
    inventory: {
      ...app.inventory,
      group: (ref, ...rest) =>
        ref.region === "cn-away" ? new Promise<never>(() => undefined) : app.inventory.group(ref, ...rest),
    },
  } satisfies typeof app;
  expect((await findGroup(silent, away, GROUP.groupId)).ref).toEqual(GROUP);
});

test("where none of those that answer has it nobody knows whether there is one", async () => {
  const { app, policy } = await appWorld();
  const away = { ...policy, regions: ["cn-away", ...policy.regions] };
  const half = {
    ...app,
    inventory: {
      ...app.inventory,
      group: async (ref) => {
        if (ref.region !== "cn-away") return null;
        throw new CloudFailure("unknown", "DescribeSecurityGroups");
      },
    },
  } satisfies typeof app;
  await expect(findGroup(half, away, GROUP.groupId)).rejects.toMatchObject({ kind: "unknown" });
  await expect(
    findGroup({ ...half, inventory: { ...half.inventory, group: async () => null } }, away, GROUP.groupId),
  ).rejects.toMatchObject({ code: "GROUP_UNKNOWN" });
});
