// Hosts that come and go: what one was used for counts for its groups' rules when it has left them.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dayAfter, type MemberDay, startOf, unknownDay } from "../../../shared/domain/evidence.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { CloudFailure, type Member } from "../../../shared/ports/firewall.ts";
import { addEvidence } from "../../../shared/store/evidence.ts";
import { readMemberships, readStrays } from "../../../shared/store/memberships.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { noteMembers, noteUsedHosts } from "../../../shared/usecases/group/note-hosts.ts";
import { WHOLE_DAY } from "../../kit/evidence.ts";
import { DROP, IDLE, RecyclingWorld, touched } from "../../kit/recycling-world.ts";
import { region } from "../../kit/world.ts";

const VISITOR = "10.1.2.3";
const web = "sg-web" as GroupId;
let one: RecyclingWorld;
beforeEach(async () => {
  one = await RecyclingWorld.start();
});
afterEach(() => one.world.stop());

const scaled: Member = {
  ...{ eniId: "eni-scaled", instanceId: "i-scaled", instanceName: "web-7", address: "127.10.0.77", ipv6: [] },
  ...{ groupIds: [web], serviceManaged: false },
};

/** The account as it is when the host is there too, or, if it is gone, when only `there` can be asked for. */
function appWith(there: readonly Member[]): App {
  const app = one.world.process();
  const members: App["inventory"]["members"] = async (ref, priority) => [
    ...(await app.inventory.members(ref, priority)),
    ...there.filter(({ groupIds }) => groupIds.includes(ref.groupId)),
  ];
  const interfaces: App["inventory"]["interfaces"] = async (_, ids) => there.filter(({ eniId }) => ids.includes(eniId));
  const interfacesOf: App["inventory"]["interfacesOf"] = async (_, ids) =>
    there.filter(({ instanceId }) => ids.includes(instanceId ?? ""));
  return { ...app, inventory: { ...app.inventory, members, interfaces, interfacesOf } };
}

/** A day of the host on which somebody used its port. */
const used = (day: string, port = 7890): MemberDay => ({
  ...unknownDay(scaled.eniId, day),
  ...{ seen: WHOLE_DAY, sources: ["flowLog"], ports: [touched("real", day, [VISITOR], port)] },
});

const told = async (day: MemberDay, app: App): Promise<void> => {
  await one.world.run(addEvidence(app.tables, region, day));
  await one.world.run(noteUsedHosts(app, region, [day], one.world.policy.recycling));
};

const members = async () => [
  ...(
    await one.world.run(
      readMemberships(one.world.process().tables, web, { from: dayAfter(one.today, -20), until: "~", max: 10 }),
    )
  ).keys(),
];
const strays = () =>
  one.world.run(readStrays(one.world.process().tables, region, dayAfter(one.today, -20), dayAfter(one.today, 1)));

describe("a host that has left the group", () => {
  it("has its use count for the window: nothing is queued, and what is in the queue comes out", async () => {
    await one.recycle();
    expect(await one.state()).toBe("noticed");
    await told(used(dayAfter(one.today, -2)), appWith([scaled]));
    expect(await members()).toContain(scaled.eniId);
    await one.recycle();
    expect(await one.state()).toBe("restored");
    expect((await one.item())?.history.at(-1)?.why).toContain("web-7, which has left the group");
  });

  it("is known by the nightly job too, when nothing was used yet", async () => {
    await one.recycle(appWith([scaled]));
    expect(await members()).toContain(scaled.eniId);
  });

  it("counts for the time that it was there, and no longer than the window", async () => {
    await told(used(dayAfter(one.today, -2)), appWith([scaled]));
    await one.pass(21);
    await one.world.run(addEvidence(one.world.process().tables, region, used(dayAfter(one.today, -1))));
    await one.recycle();
    expect(await one.state(), "what it is used for in another group is of no concern").toBe("noticed");
  });

  it("is known of all of its groups by the first of them that is looked at: it may be gone before the others are", async () => {
    const { world } = one;
    const both: Member = { ...scaled, groupIds: ["sg-app" as GroupId, web] };
    await world.run(noteMembers(world.process(), { region, groupId: "sg-app" as GroupId }, [both], world.clock.now()));
    await told(used(one.today), appWith([]));
    expect(await strays()).toEqual([]);
    expect(await members()).toContain(scaled.eniId);
  });

  it("counts for the week after the last in which it was seen: the cloud may not have answered before it was gone", async () => {
    // Seen on a Sunday, used on the Monday and gone by the night.
    await one.pass((7 - new Date(startOf(one.today)).getUTCDay()) % 7 || 7);
    await one.recycle(appWith([scaled]));
    await one.pass(1);
    await told(used(one.today), { ...appWith([]), inventory: refusing(appWith([])) });
    await one.pass(1);
    await one.recycle();
    expect(await one.state()).toBe(null);
  });

  it("counts for the week before the first in which it was seen: who is seen on a Monday may have come on the Sunday", async () => {
    const { world } = one;
    await one.pass((7 - new Date(startOf(one.today)).getUTCDay()) % 7 || 7);
    // Known this week, in another group.
    const elsewhere = { ...scaled, groupIds: ["sg-app" as GroupId] };
    const app = { region, groupId: "sg-app" as GroupId };
    await world.run(noteMembers(world.process(), app, [elsewhere], world.clock.now()));
    const sunday = one.today;
    await one.pass(1);
    await one.recycle(appWith([scaled]));
    await told(used(sunday), appWith([]));
    await one.pass(1);
    expect((await one.recycle()).verdicts.used).toBe(1);
  });

  it("counts in the group that it came into after it was noted in another, and left before the night", async () => {
    const { world } = one;
    const elsewhere = { ...scaled, groupIds: ["sg-app" as GroupId] };
    await told(used(dayAfter(one.today, -1), 9999), appWith([elsewhere]));
    expect(await members()).not.toContain(scaled.eniId);
    await told(used(one.today), appWith([scaled]));
    expect(await members()).toContain(scaled.eniId);
    const writes = world.callNames.filter((name) => name === "writeAll evidence").length;
    await told(used(one.today), appWith([scaled]));
    expect(world.callNames.filter((name) => name === "writeAll evidence").length - writes, "and is noted once").toBe(0);
  });

  it("counts wherever the process dies that notes it, though it is gone when the next one comes", async () => {
    // Rows of one write are written in any order: what is known last may be there, and nothing else of it.
    for (const half of [0, 1, 2, 3]) {
      await one.world.stop();
      one = await RecyclingWorld.start();
      const app = appWith([scaled]);
      const { tables } = app;
      const writeAll: App["tables"]["writeAll"] = async (writes) => {
        await tables.writeAll([...writes].reverse().slice(0, half));
        throw new Error("dies here");
      };
      const dies = told(used(dayAfter(one.today, -2)), { ...app, tables: { ...tables, writeAll } });
      await expect(dies).rejects.toThrow("dies here");
      await told(used(dayAfter(one.today, -2)), appWith([]));
      const [noted, stray] = [await members(), await strays()];
      expect([half, noted.includes(scaled.eniId) || stray.length === 1]).toEqual([half, true]);
    }
  });

  it("lifts a quarantine by who used the rule on it", async () => {
    await told(used(dayAfter(one.today, -2)), appWith([scaled]));
    await one.pass(14);
    await one.quarantined();
    expect(one.rules()).toEqual([IDLE, DROP]);
    await one.pass(2, [touched("refused", dayAfter(one.today, 1), [VISITOR])]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });
});

describe("a host that is there for a part of a day of a quarantine", () => {
  it("has it lifted by who was refused on it, though it is gone when that is known", async () => {
    await told(used(dayAfter(one.today, -2)), appWith([scaled]));
    await one.pass(14);
    await one.quarantined();
    await one.pass(2);
    const late: Member = { ...scaled, eniId: "eni-late", instanceId: "i-late" };
    await one.watch(appWith([late]));
    expect(await one.state()).toBe("quarantined");
    const { tables } = one.world.process();
    const ports = [touched("refused", one.today, [VISITOR])];
    await one.world.advance(12 * 3_600_000);
    await one.world.run(
      addEvidence(tables, region, { ...unknownDay(late.eniId, one.today), sources: ["flowLog"], ports }),
    );
    await one.watch();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });
});

describe("a host of which its own counters tell alone", () => {
  /** Counters know an instance, that somebody came, and not who. */
  const counted = (day: string): MemberDay => ({
    ...unknownDay("i-scaled", day),
    ...{ seen: WHOLE_DAY, sources: ["host"] },
    ports: [{ ...touched("real", day, []), unnamedAt: startOf(day) + 3_600_000 }],
  });

  it("has its use count when it came and went between two nights", async () => {
    await told(counted(dayAfter(one.today, -2)), appWith([scaled]));
    expect(await members()).toContain(scaled.eniId);
    await one.recycle();
    expect(await one.state()).toBe(null);
  });

  it("makes every rule for its ports unknown when it was gone before anybody could see its groups", async () => {
    await told(counted(one.today), appWith([]));
    expect(await strays()).toEqual([expect.objectContaining({ eniId: "i-scaled", protocol: "tcp", port: 7890 })]);
    await one.recycle();
    expect(await one.state()).toBe(null);
    await one.recycle(appWith([scaled]));
    expect(await strays(), "until the nightly job sees it").toEqual([]);
  });
});

describe("a host that was gone before anybody could see its groups", () => {
  it("makes every rule for its ports unknown, and says which port of which host", async () => {
    await told(used(dayAfter(one.today, -2)), appWith([]));
    expect(await strays()).toEqual([expect.objectContaining({ eniId: scaled.eniId, protocol: "tcp", port: 7890 })]);
    await one.pass(4);
    await one.recycle();
    expect(await one.state()).toBe(null);
    await one.pass(12);
    await one.recycle();
    expect(await one.state(), "for as long as the window holds it").toBe("noticed");
  });

  it("is of no concern to rules for other ports", async () => {
    await told(used(dayAfter(one.today, -2), 9999), appWith([]));
    await one.recycle();
    expect(await one.state()).toBe("noticed");
  });

  it("is none any more when the nightly job or the next collection sees it", async () => {
    await told(used(dayAfter(one.today, -1)), appWith([]));
    expect(await strays()).toHaveLength(1);
    await told(used(dayAfter(one.today, -1)), appWith([scaled]));
    expect(await strays()).toEqual([]);
    await told({ ...used(one.today), member: "eni-other" }, { ...appWith([]), inventory: refusing(appWith([])) });
    expect(await strays(), "nobody knows of it when the cloud does not answer").toHaveLength(1);
    await one.recycle(appWith([{ ...scaled, eniId: "eni-other" }]));
    expect(await strays()).toEqual([]);
  });
});

/** The cloud does not answer: nothing is lost by it. */
const refusing = ({ inventory }: App): App["inventory"] => ({
  ...inventory,
  interfaces: async () => {
    throw new CloudFailure("throttled", "DescribeNetworkInterfaces");
  },
  interfacesOf: async () => {
    throw new CloudFailure("throttled", "DescribeInstances");
  },
});
