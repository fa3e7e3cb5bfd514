// A group whose row somebody has damaged: it is never taken for one that is new or not guarded, and what ends in it ends.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import { dueDrift, dueWrite, readDue } from "../../../shared/store/due.ts";
import { listGroups } from "../../../shared/usecases/group/list-groups.ts";
import { bookJobs } from "../../../shared/usecases/operation/jobs.ts";
import { previewPolicy } from "../../../shared/usecases/policy/preview-policy.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene } from "../../interleavings/scene.ts";
import { region, World } from "../../kit/world.ts";
import { DOCUMENT, lift, minutes, NARROW_DOCUMENT, rulesIn, start } from "./lockdown-scene.ts";

let world: World;
beforeEach(async () => {
  world = await World.start({ inMemory: true });
});
afterEach(() => world.stop());

const damage = (): Promise<unknown> =>
  world.process().tables.put("group", [world.web.region, "sg-web"], { body: "{", rev: 3 }, { kind: "none" });
const UNREADABLE = { code: "STATE_UNREADABLE", detail: { table: "group", key: `${region} sg-web` } };

test("a lease ends on time though another one waits to be opened, which is refused; and no further one is taken", async () => {
  const first = (await world.open({ periodMs: 600_000 })).lease;
  const startAt = Math.ceil(first.status.until / 1000) * 1000;
  const later = (await world.open({ port: "23", startAt })).lease;
  await damage();
  await world.advance(startAt - world.clock.now());
  await world.ticks(2);
  expect(world.openPorts()).toEqual([]);
  const states = await Promise.all([first, later].map(({ request }) => world.lease(request.leaseId)));
  expect(states.map(({ status }) => status.state)).toEqual(["closed", "failed"]);
  expect(states[1]?.status).toMatchObject({
    ...{ note: "GROUP_PROTECTED", noteDetail: { why: expect.stringContaining("cannot be read") } },
  });
  await expect(world.open({ port: "24" })).rejects.toMatchObject(UNREADABLE);
});

test("people are told once a day", async () => {
  const targets = { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN" } };
  const document = { notifications: { targets, roles: { operator: ["hook"] } } };
  world.policy = policyOf(policySchema.parse(document), 1, region);
  await damage();
  await bookJobs(world.process());
  for (let hour = 0; hour < 5; hour++) {
    await world.advance(3_600_000);
    await world.ticks(2);
  }
  expect(world.told.filter((it) => JSON.stringify(it).includes("of the table group cannot be read"))).toHaveLength(1);
});

test("no tick fails while it waits to be compared, people are told, and it is compared once its row can be read", async () => {
  const targets = { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN" } };
  const document = {
    groups: { guards: { web: "observe" } },
    notifications: { targets, roles: { operator: ["hook"] } },
  };
  world.policy = policyOf(policySchema.parse(document), 1, region);
  await damage();
  const { tables } = world.process();
  await tables.writeAll([dueWrite(dueDrift(world.web, world.clock.now(), 1))]);
  await world.ticks(4);
  const words = world.told
    .map((it) => JSON.stringify(it))
    .filter((it) => it.includes("of the table group cannot be read"));
  expect(words).toEqual([expect.stringContaining("The look at sg-web waits for it.")]);
  const waiting = async () =>
    (await readDue(tables, 0, world.clock.now(), 100)).due.filter(({ kind }) => kind === "drift");
  expect(await waiting()).toHaveLength(1);
  await tables.delete("group", [region, "sg-web"], { kind: "none" });
  await world.ticks(1);
  expect(await waiting()).toEqual([]);
});

test("lists of groups and previews of a policy name it instead of taking it for a new one", async () => {
  const { groups, unreadable } = await listGroups(world.process(), world.policy);
  expect([groups.map(({ groupId }) => groupId), unreadable]).toEqual([expect.arrayContaining(["sg-web"]), []]);
  await damage();
  const now = await listGroups(world.process(), world.policy);
  expect(now.groups.map(({ groupId }) => groupId)).toEqual(
    groups.map(({ groupId }) => groupId).filter((groupId) => groupId !== "sg-web"),
  );
  expect(now.unreadable).toEqual(["sg-web"]);
  // Neither policy names it: what its row says of a tag's guard is what nobody knows.
  const guarding = (guards: object): Policy => policyOf(policySchema.parse({ groups: { guards } }), 1, region);
  const policies = { before: guarding({}), after: guarding({ app: "observe" }) };
  const deadlineAt = world.clock.monotonicMs() + 60_000;
  expect(await world.run(previewPolicy(world.process(), policies, deadlineAt))).toMatchObject({
    ...{ unreadable: [{ groupId: "sg-web" }], looked: 1, groups: 2, guards: [{ groupName: "app" }] },
  });
});

describe.each([
  ["drops", DOCUMENT],
  ["suspend", NARROW_DOCUMENT],
])("in a lockdown by %s", (way, document) => {
  const inScene = async (
    play: (scene: Scene, before: readonly string[]) => Promise<void>,
    more: object = {},
  ): Promise<void> => {
    const scene = new Scene("damaged", { document: { ...document, ...more }, isDelivering: false });
    await scene.schedule.run(prepare(scene).then(() => play(scene, rulesIn(scene, APP))));
  };
  const damaged = ({ tables }: ReturnType<Scene["quietApp"]>): Promise<unknown> =>
    tables.put("group", [APP.region, APP.groupId], { body: "{", rev: 3 }, { kind: "none" });

  test("it is closed like the others, and opened again", () =>
    inScene(async (scene, before) => {
      const app = scene.quietApp();
      await damaged(app);
      const { lockdownId, groups } = await start(scene, app);
      expect(groups).toMatchObject([{ way, isClosed: true }]);
      await minutes(scene, 3);
      expect(rulesIn(scene, APP)).not.toEqual(before);
      expect((await lift(scene, app, lockdownId)).state).toBe("lifted");
      expect(rulesIn(scene, APP)).toEqual(before);
    }));

  test("what the policy denies stays as it is", () =>
    inScene(
      async (scene, before) => {
        const app = scene.quietApp();
        await damaged(app);
        const { groups } = await start(scene, app);
        expect(groups).toMatchObject([{ way: "none", isClosed: false, left: ["the policy denies it"] }]);
        expect(rulesIn(scene, APP)).toEqual(before);
      },
      { groups: { denied: ["app"] } },
    ));
});
