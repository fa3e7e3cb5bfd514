// A lockdown's calls: by what was planned beforehand, one batch for each group, groups side by side, and none held up by the call budget.
import { describe, expect, test } from "vitest";
import { callBudget } from "../../../shared/adapters/alibaba/call-budget.ts";
import type { CallPriority, Firewall } from "../../../shared/ports/firewall.ts";
import { tableBudgets } from "../../../shared/store/budget.ts";
import { listPreparations } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { DOCUMENT, start, terms, tick } from "./lockdown-scene.ts";

/** As many drops as one call carries. */
const BATCH_MAX = 20;
const SLOW_CALL_MS = 3_000;

interface Call {
  readonly group: string;
  readonly drops: number;
  readonly priority: CallPriority;
  /** Milliseconds of the scene. */
  readonly from: number;
  until: number;
}

const inScene = async (
  document: Readonly<Record<string, unknown>>,
  play: (scene: Scene) => Promise<void>,
): Promise<void> => {
  const scene = new Scene("batches", { document, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene)));
};

/** A process whose calls to the firewall are noted. */
function watched(scene: Scene): { readonly app: App; readonly authorized: Call[]; readonly read: CallPriority[] } {
  const app = scene.quietApp();
  const authorized: Call[] = [];
  const read: CallPriority[] = [];
  const firewall: Firewall = {
    ...app.firewall,
    readGroup: (ref, priority) => {
      read.push(priority);
      return app.firewall.readGroup(ref, priority);
    },
    authorize: async (ref, rules, token, priority) => {
      const from = scene.schedule.elapsed;
      const call: Call = { group: ref.groupId, drops: rules.length, priority, from, until: from };
      authorized.push(call);
      // So long that whatever is begun side by side is under way together.
      await scene.schedule.sleep(SLOW_CALL_MS);
      await app.firewall.authorize(ref, rules, token, priority);
      call.until = scene.schedule.elapsed;
    },
  };
  return { app: { ...app, firewall }, authorized, read };
}

const groups = ["app", "web"];
const both = [APP.groupId, WEB.groupId].sort();

/** True when there was a moment in which all of them were under way. */
const areSideBySide = (calls: readonly Call[]): boolean =>
  Math.max(...calls.map(({ from }) => from)) < Math.min(...calls.map(({ until }) => until));

describe("a lockdown of two groups", () => {
  test("closes each with one call, both at once, and asks for nothing that was planned beforehand", () =>
    inScene({ lockdown: DOCUMENT.lockdown }, async (scene) => {
      const { app: process, authorized } = watched(scene);
      const asked: string[] = [];
      const inventory = new Proxy(process.inventory, {
        get: (whole, name, self) => {
          asked.push(String(name));
          return Reflect.get(whole, name, self);
        },
      });
      const app = { ...process, inventory };
      const started = await startLockdown(app, {
        ...{ scope: { kind: "groups", groups }, cause: "ann", principal: "ann", reason: "an attack" },
        ...{ periodMs: 3_600_000, waivedBy: "ann", decidedBy: "", ...terms(scene, app) },
      });
      expect(started.groups.map(({ way, isClosed }) => [way, isClosed])).toEqual([
        ["drops", true],
        ["drops", true],
      ]);
      expect(authorized.map(({ group }) => group).sort()).toEqual(both);
      for (const { group, drops } of authorized)
        expect(drops).toBe(started.groups.find((it) => it.group.groupId === group)?.drops);
      expect(areSideBySide(authorized)).toBe(true);
      expect(asked).toEqual([]);
    }));

  test("takes as few calls as can carry its drops where operators' ways need more of them, all at once", () =>
    inScene(DOCUMENT, async (scene) => {
      const { app, authorized } = watched(scene);
      const started = await start(scene, app, { groups });
      for (const { group, drops, isClosed } of started.groups) {
        const own = authorized.filter((it) => it.group === group.groupId);
        expect([isClosed, drops > BATCH_MAX]).toEqual([true, true]);
        expect(own.length).toBe(Math.ceil(drops / BATCH_MAX));
        expect(own.reduce((sum, it) => sum + it.drops, 0)).toBe(drops);
      }
      expect(areSideBySide(authorized)).toBe(true);
    }));

  test("goes ahead of all other work: with the budget of the minute used up it closes both, and calls for leases wait", () =>
    inScene(DOCUMENT, async (scene) => {
      const { app, authorized, read } = watched(scene);
      const { clock, random, log, tables, firewall } = app;
      const gate = callBudget({ clock, random, log, budgets: tableBudgets(tables), callsPerMinute: 10 });
      const budgeted: App = {
        ...app,
        firewall: {
          ...firewall,
          readGroup: async (ref, priority) => {
            await gate.admit(ref.region, "DescribeSecurityGroupAttribute", priority);
            return firewall.readGroup(ref, priority);
          },
          authorize: async (ref, rules, token, priority) => {
            await gate.admit(ref.region, "AuthorizeSecurityGroup", priority);
            return firewall.authorize(ref, rules, token, priority);
          },
        },
      };
      const others = async (api: string): Promise<unknown> => gate.admit(WEB.region, api, "open");
      const apis = ["DescribeSecurityGroupAttribute", "AuthorizeSecurityGroup"];
      for (const api of apis) {
        const outcomes = [];
        for (let n = 0; n < 20; n++) outcomes.push(await others(api).catch((error: Error) => error));
        expect(outcomes.at(-1)).toMatchObject({ kind: "throttled" });
      }
      const started = await start(scene, budgeted, { groups });
      expect(started.groups.map(({ isClosed }) => isClosed)).toEqual([true, true]);
      expect(new Set([...read, ...authorized.map(({ priority }) => priority)])).toEqual(new Set(["lockdown"]));
      for (const api of apis) await expect(others(api)).rejects.toMatchObject({ kind: "throttled" });
    }));
});

test("what is planned beforehand is planned anew within six hours, for what has come since", () =>
  inScene(DOCUMENT, async (scene) => {
    const mallory = scene.person("mallory");
    const spec = aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("2001:db8::/56") });
    await mallory.firewall.authorize(WEB, [{ spec, description: "new" }], mallory.token(), "open");
    const families = async () => {
      const { preparations } = await listPreparations(scene.tables);
      const own = preparations.find(({ group }) => group.groupId === WEB.groupId);
      return new Set(own?.drops.flatMap(({ peer }) => (peer.kind === "cidr" ? [peer.cidr.family] : [])));
    };
    expect(await families()).toEqual(new Set([4]));
    await tick(scene, 6 * 3_600_000);
    await tick(scene, 60_000);
    expect(await families()).toEqual(new Set([4, 6]));
  }));
