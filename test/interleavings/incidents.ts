// Lockdowns and recycling items beside what people do: drops that are held, accepts that are suspended, and everything back at the end.

import { LOCKDOWN_JOB } from "../../shared/domain/lockdown.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { standbyHolder, standbyListName } from "../../shared/domain/standby.ts";
import { dueJob, dueWrite } from "../../shared/store/due.ts";
import { getStandbySet, saveStandbySet } from "../../shared/store/standby-sets.ts";
import type { App } from "../../shared/usecases/app.ts";
import { holdDrops } from "../../shared/usecases/ledger/hold-drops.ts";
import { releaseDrops } from "../../shared/usecases/ledger/release-drops.ts";
import { resumeRules } from "../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../shared/usecases/ledger/suspend-rules.ts";
import { letGoOfLists } from "../../shared/usecases/lockdown/hold-standby.ts";
import { settleStandby } from "../../shared/usecases/lockdown/settle-standby.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import { aSpec, fromCidr, somePorts } from "../kit/rules.ts";
import { daves, granted, ofApp, riddenInApp, type Story, stories } from "./people.ts";
import { APP, ruleOf, type Scene, WEB } from "./scene.ts";

const TRIES = 40;

const dropOf = (ports: string): RuleSpec =>
  aSpec({ policy: "drop", ports: somePorts(ports), peer: fromCidr("0.0.0.0/0"), priority: 1 });
const DROPS: readonly RuleSpec[] = [dropOf("1/21"), dropOf("81/442"), dropOf("4000/65535")];
/** A rule in a group that is not guarded, which no ledger knows. */
const strangers = ruleOf(7100, "198.51.100.0/24");

/** A pass as a lockdown runs it. */
export function look(scene: Scene, app: App, group: typeof WEB, cause: string): ReturnType<typeof lookAtGroup> {
  const deadlineAt = app.clock.monotonicMs() + 45_000;
  const terms = { cause, actor: "safeport", policy: scene.policy, priority: "lockdown", rows: [], deadlineAt } as const;
  return lookAtGroup(app, group, { ...terms, drift: group === WEB });
}

/** An incident: drops for a time, which somebody may take away, and which may be lifted before. */
const incident =
  (group: typeof WEB, holderId: string): Story =>
  async (scene) => {
    const { dice } = scene;
    const kind = dice.pick(["lockdown", "quarantine"] as const);
    const hold = { kind, holderId, principal: "ann", reason: "an attack" };
    const specs = DROPS.filter(() => dice.happens(0.7));
    for (let n = dice.between(1, 2); n > 0; n--) {
      const until = scene.quietApp().clock.now() + dice.between(20, 300) * 1000;
      await scene.start(
        "lock",
        async (app) => {
          await holdDrops(app, group, { ...hold, until }, specs);
          await look(scene, app, group, `lockdown ${holderId}`);
        },
        TRIES,
      );
      await scene.pause();
      const rule = scene.rule(group, dice.pick(DROPS));
      const mallory = scene.person("mallory");
      if (rule && dice.happens(0.3))
        await mallory.firewall.revoke(group, [rule.id], mallory.token(), "end").catch(() => undefined);
      await scene.pause();
    }
    if (dice.happens(0.5))
      await scene.start(
        "lift",
        async (app) => {
          await releaseDrops(app, group, holderId, "it is over");
          await look(scene, app, group, `lift ${holderId}`);
        },
        TRIES,
      );
    scene.always.push(() => {
      const left = DROPS.find((spec) => scene.rule(group, spec));
      return left ? `${group.groupId} still has ${ruleKey(left)}` : null;
    });
  };

/** Accepts are closed for a time, and stand again just as they were. */
const suspending =
  (group: typeof WEB, itemId: string, specs: readonly RuleSpec[]): Story =>
  async (scene) => {
    const { dice } = scene;
    const chosen = specs.filter(() => dice.happens(0.7));
    const isOpenEnded = dice.happens(0.5);
    // In a lockdown nothing new opens; beside a rule that is recycled it does.
    const kind = dice.pick(["lockdown", "recycling", "recycling"] as const);
    for (let n = dice.between(1, 2); n > 0; n--) {
      const until = isOpenEnded ? null : scene.quietApp().clock.now() + dice.between(5, 300) * 1000;
      const suspender = { kind, itemId, principal: "ann", reason: "an attack", until } as const;
      await scene.start(
        "suspend",
        async (app) => {
          await suspendRules(app, group, suspender, chosen);
          await look(scene, app, group, `suspend ${itemId}`);
        },
        TRIES,
      );
      await scene.pause();
      const isResumed = isOpenEnded || dice.happens(0.3);
      if (isResumed)
        await scene.start(
          "resume",
          async (app) => {
            await resumeRules(app, group, itemId);
            await look(scene, app, group, `resume ${itemId}`);
          },
          TRIES,
        );
      await scene.pause();
    }
  };

/** Somebody's rule that the program has nothing to do with, until it is suspended. */
const stranger: Story = async (scene) => {
  const frank = scene.person("frank");
  await frank.firewall.authorize(APP, [{ spec: strangers, description: "frank's" }], frank.token(), "open");
  // The reading that closes it for the first time may not show it yet: then it is closed, and kept, by a later one.
  await scene.schedule.sleep(25_000);
  await suspending(APP, "rc-1", [strangers, riddenInApp])(scene);
};

/** What stood before stands at the end, once, and says what it said. */
const asItWas: Story = async (scene) => {
  const kept = [
    [WEB, granted.http, "granted"],
    [WEB, granted.https, "granted"],
    [WEB, granted.ridden, "granted"],
    [APP, riddenInApp, "granted"],
    [APP, ofApp, "granted"],
  ] as const;
  scene.always.push(() => {
    for (const [group, spec, description] of kept) {
      const found = scene.account.rules(group.groupId).filter((rule) => ruleKey(rule) === ruleKey(spec));
      if (found.length !== 1 || found[0]?.description !== description)
        return `${group.groupId} has ${ruleKey(spec)} ${found.length} times, saying "${found[0]?.description}"`;
    }
    return null;
  });
};

/** Drops on a list stand in one group; two lockdowns fill it for a time, and in the end it is empty, and goes with its drops. */
const listed: Story = async (scene) => {
  const { dice, account, tables } = scene;
  const [listId, name] = ["pl-own", "0123456789ab"];
  const blocks = ["0.0.0.0/1", "128.0.0.0/1"];
  account.lists.set(listId, { name: standbyListName("test", name, "ba9876543210"), blocks: [] });
  const drop = aSpec({
    policy: "drop",
    ports: somePorts("7200/7300"),
    peer: { kind: "prefixList", prefixListId: listId },
  });
  const list = { key: "ba9876543210", family: 4, blocks, listId } as const;
  const set = { name, region: APP.region, lists: [list], members: [APP.groupId], holders: [], shown: "empty" } as const;
  await saveStandbySet(tables, { ...set, rev: 0 });
  const now = () => scene.quietApp().clock.now();
  const standing = { kind: "standby", holderId: standbyHolder(name), principal: "safeport", reason: "lists" } as const;
  const stand = async (app: App): Promise<void> => {
    await holdDrops(app, APP, { ...standing, until: now() + 20 * 60_000 }, [drop]);
    await look(scene, app, APP, "lists");
  };
  await scene.start("stand", stand, TRIES);
  const lockdown = async (lockdownId: string): Promise<void> => {
    await scene.pause();
    const until = now() + dice.between(20, 300) * 1000;
    const hold = { kind: "lockdown", holderId: lockdownId, principal: "ann", reason: "an attack", until } as const;
    await scene.start(
      "fill",
      async (app) => {
        if (app.clock.now() >= until) return;
        await app.tables.writeAll([dueWrite(dueJob(LOCKDOWN_JOB, lockdownId, until))]);
        await holdDrops(app, APP, hold, [drop]);
        for (;;) {
          const row = await getStandbySet(app.tables, name);
          if (row === null || row.holders.includes(lockdownId)) break;
          if (await saveStandbySet(app.tables, { ...row, holders: [...row.holders, lockdownId], shown: null })) break;
        }
        await settleStandby(app, name, { priority: "lockdown" });
        await look(scene, app, APP, `lockdown ${lockdownId}`);
      },
      TRIES,
    );
    await scene.pause();
    if (!dice.happens(0.5)) return;
    await scene.start(
      "empty",
      async (app) => {
        await letGoOfLists(app, name, lockdownId);
        await settleStandby(app, name, { priority: "lockdown" });
        await releaseDrops(app, APP, lockdownId, "it is over");
        await look(scene, app, APP, `lift ${lockdownId}`);
      },
      TRIES,
    );
  };
  await Promise.all(["ld-aaaaaaaaaaaa-1", "ld-bbbbbbbbbbbb-1"].map(lockdown));
  // The policy names no groups for lists: the set goes when nobody has it filled any more.
  await tables.writeAll([dueWrite(dueJob("lockdown-plan", null, now() + dice.between(1, 600) * 1000))]);
  scene.always.push(async () => {
    const held = account.lists.get(listId)?.blocks ?? [];
    if (held.length > 0) return `the list still holds ${held.join(" ")}`;
    const holders = (await getStandbySet(tables, name))?.holders ?? [];
    if (holders.length > 0) return `the list is still held by ${holders.join(" ")}`;
    return scene.rule(APP, drop) ? "the drop on the list still stands" : null;
  });
};

/** The people of every run, and incidents beside them. */
export const incidents: readonly Story[] = [
  incident(WEB, "ld-1"),
  incident(WEB, "ld-2"),
  incident(APP, "ld-3"),
  suspending(WEB, "ld-4", [granted.http, granted.ridden, ...[0, 1, 2].map((n) => ruleOf(2200 + n, "203.0.113.7/32"))]),
  suspending(WEB, "ld-5", [granted.http, granted.https]),
  suspending(APP, "ld-6", [ofApp, riddenInApp, ...[0, 1, 2].map((n) => ruleOf(2200 + n, "203.0.113.7/32"))]),
  stranger,
  listed,
  asItWas,
  ...stories.filter((story) => story !== daves),
];
