// Where a host is, of regions that have it, do not have it, refuse to say, or never answer.
import { expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { CloudFailure, type Member } from "../../../shared/ports/firewall.ts";
import { findHost } from "../../../shared/usecases/group/find-host.ts";
import { appWorld } from "./app-world.ts";

const here: readonly Member[] = [
  {
    ...{ eniId: "eni-1", instanceId: "i-1", instanceName: null, address: "192.168.0.11", ipv6: [] },
    ...{ groupIds: ["sg-web" as GroupId], serviceManaged: false },
  },
];

const regions: Readonly<Record<string, () => Promise<readonly Member[] | null>>> = {
  here: async () => here,
  empty: async () => null,
  ungrouped: async () => here.map((it) => ({ ...it, groupIds: [] })),
  refuses: () => Promise.reject(new CloudFailure("refused", "DescribeInstances")),
  silent: () => new Promise(() => undefined),
};

test.each([
  ["here", ["here"]],
  ["here", ["silent", "refuses", "empty", "here"]],
  [null, ["empty", "ungrouped"]],
  [null, []],
])("it is in %s of %j", async (region, asked) => {
  const { app } = await appWorld();
  const instance = (name: string) => regions[name]?.() ?? Promise.resolve(null);
  const found = await findHost({ inventory: { ...app.inventory, instance } }, asked, "i-1", "open");
  expect(found).toEqual(region === null ? null : { region, members: here });
});

test("where none has it and one could not be asked nobody knows", async () => {
  const { app } = await appWorld();
  const interfaces = async (name: string) => (await regions[name]?.()) ?? [];
  const asked = findHost({ inventory: { ...app.inventory, interfaces } }, ["empty", "refuses"], "eni-1", "open");
  await expect(asked).rejects.toMatchObject({ kind: "refused" });
});
