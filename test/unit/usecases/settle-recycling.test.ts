// Steps of the recycling queue that something stands in the way of: they come about all the same, or say what is wrong and what to do.
import { afterEach, describe, expect, it } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { saveRecyclingItem } from "../../../shared/store/recycling.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { RecyclingWorld } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

describe("a group that is gone", () => {
  /** A process to which the cloud shows no group `web`. */
  const without = (): App => {
    const app = one.world.process();
    const { groupId } = one.world.web;
    const gone = () => new CloudFailure("groupGone", "DescribeSecurityGroupAttribute");
    return {
      ...app,
      inventory: {
        ...app.inventory,
        group: async (ref, priority) => (ref.groupId === groupId ? null : app.inventory.group(ref, priority)),
        groupPage: async (...ask) => {
          const page = await app.inventory.groupPage(...ask);
          return { ...page, groups: page.groups.filter(({ ref }) => ref.groupId !== groupId) };
        },
      },
      firewall: {
        ...app.firewall,
        readGroup: async (ref, priority) => {
          if (ref.groupId === groupId) throw gone();
          return app.firewall.readGroup(ref, priority);
        },
      },
    };
  };

  it("takes its items with it", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.recycle(without());
    expect((await one.item())?.history.at(-1)).toMatchObject({ to: "deleted", by: "somebody else" });
  });

  it("ends the wait of a rule that was to be given back, says so, and holds up no other", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const item = await one.item();
    if (!item) throw new Error("nothing is queued");
    const step = { to: "restored", by: "olga", why: "needed", at: one.world.clock.now() } as const;
    await one.world.run(saveRecyclingItem(one.world.process().tables, { ...item, step }));
    await one.recycle(without());
    expect(await one.item()).toMatchObject({
      ...{ state: "deleted", step: null },
      waiting: { for: "person", why: [expect.stringContaining("its group is gone")] },
    });
  });
});
