// Two alarms, a quarantine and a lease on one group, in any order, late, twice: the group converges to what a small model says.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Alarm, AlarmState } from "../../shared/domain/alarm.ts";
import type { LeaseId } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { App } from "../../shared/usecases/app.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { holdDrops } from "../../shared/usecases/ledger/hold-drops.ts";
import { releaseDrops } from "../../shared/usecases/ledger/release-drops.ts";
import { actOnAlarm } from "../../shared/usecases/lockdown/act-on-alarm.ts";
import { recordAlarm } from "../../shared/usecases/lockdown/record-alarm.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { look } from "../interleavings/incidents.ts";
import { leftOver, prepare } from "../interleavings/run-seed.ts";
import { ruleOf, Scene, WEB } from "../interleavings/scene.ts";

const MINUTE_MS = 60_000;
const document = {
  alarms: [
    { rule: "ddos", do: "lockdown" },
    { rule: "scan", do: "lockdown", period: 600 },
    { rule: "flood", do: "lockdown", scope: { groups: ["web"] }, period: 1200 },
  ],
  lockdown: { core: ["80", "443"], groups: ["*"], withoutOperatorPath: "the test", period: 1800 },
};
const quarantine: RuleSpec = { ...ruleOf(9090, "10.1.0.0/16"), policy: "drop" };
const leased = ruleOf(2200, "203.0.113.7/32");
/** Of the core ports 80 and 443: what stays between and beside them. */
const LOCKED = ["tcp 1-79", "tcp 81-442", "tcp 444-65535", "udp 1-65535"];

type Rule = "ddos" | "scan" | "flood";
const PERIODS = { ddos: 1_800_000, scan: 600_000, flood: 1_200_000 } as const;

type Move =
  | { readonly kind: "alarm"; readonly rule: Rule; readonly state: AlarmState; readonly lateMs: number }
  | { readonly kind: "quarantine" | "release" | "open" | "end" }
  | { readonly kind: "wait"; readonly minutes: number };

const aMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("alarm" as const),
      rule: fc.constantFrom<Rule>("ddos", "scan", "flood"),
      state: fc.constantFrom("ALERT" as const, "ALERT" as const, "OK" as const, "INSUFFICIENT_DATA" as const),
      // Told after a later one, as retries and two senders may have it.
      lateMs: fc.constantFrom(0, 0, 0, 90_000),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom("quarantine", "release", "open", "end").map((kind) => ({ kind }) as Move) },
  { weight: 3, arbitrary: fc.constantFrom(1, 2, 12, 22).map((minutes) => ({ kind: "wait", minutes }) as Move) },
);

/** What should stand, told from the moves alone. Alarms of one scope share a lockdown, which lasts as long as one of them. */
class Model {
  readonly #told = new Map<string, number>();
  readonly #lockdowns = new Map<string, { until: number; readonly causes: Set<string> }>();
  quarantineUntil = 0;
  leaseUntil = 0;

  hear(rule: Rule, state: AlarmState, at: number, now: number): void {
    if ((this.#told.get(rule) ?? 0) >= at) return;
    this.#told.set(rule, at);
    const scope = rule === "flood" ? "groups" : "instance";
    const lockdown = this.#lockdowns.get(scope);
    const isOn = lockdown !== undefined && lockdown.until > now;
    if (state === "OK") lockdown?.causes.delete(rule);
    if (lockdown?.causes.size === 0) this.#lockdowns.delete(scope);
    if (state !== "ALERT") return;
    if (isOn) {
      lockdown.causes.add(rule);
      const until = endOf(rule, now);
      if (until >= lockdown.until + MINUTE_MS) lockdown.until = until;
    } else this.#lockdowns.set(scope, { until: endOf(rule, now), causes: new Set([rule]) });
  }

  isLocked = (now: number): boolean => [...this.#lockdowns.values()].some(({ until }) => until > now);

  /** What stands, in words, when all was done that was due by then. */
  at(now: number): readonly string[] {
    return [
      ...(this.isLocked(now) ? LOCKED : []),
      ...(this.quarantineUntil > now ? [inWords(quarantine)] : []),
      ...(this.leaseUntil > now ? ["leased"] : []),
    ].sort();
  }
}

/** Ends are whole seconds. */
const endOf = (rule: keyof typeof PERIODS, now: number): number => Math.ceil((now + PERIODS[rule]) / 1000) * 1000;

const inWords = ({ protocol, ports }: RuleSpec): string =>
  `${protocol} ${ports.kind === "range" ? `${ports.range.from}-${ports.range.to}` : ""}`;

async function tick(scene: Scene, minutes: number): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    await scene.schedule.sleep(MINUTE_MS);
    const app = scene.quietApp();
    await sweep(app, {
      policy: scene.policy,
      cause: "tick",
      deadlineAt: app.clock.monotonicMs() + 45_000,
      jobs: allJobs,
    });
  }
}

async function hear(app: App, scene: Scene, alarm: Alarm): Promise<void> {
  const row = await recordAlarm(app, alarm, scene.policy);
  if (row === null || row.isHandled) return;
  const arrivedAt = app.clock.monotonicMs();
  await actOnAlarm(app, row.alarmId, { policy: scene.policy, arrivedAt, deadlineAt: arrivedAt + 30_000 });
}

async function play(scene: Scene, moves: readonly Move[]): Promise<void> {
  await prepare(scene);
  const before = scene.account.rules(WEB.groupId).map((rule) => `${ruleKey(rule)} ${rule.description}`);
  const model = new Model();
  let leaseId: LeaseId | null = null;
  const clock = scene.quietApp().clock;
  for (const move of moves) {
    const app = scene.quietApp();
    const now = clock.now();
    switch (move.kind) {
      case "alarm": {
        const at = now - move.lateMs;
        model.hear(move.rule, move.state, at, now);
        const dimensions = move.rule === "flood" ? {} : { instanceId: "i-0" };
        const alarm = {
          ruleId: move.rule,
          namespace: "acs_ecs_dashboard",
          metric: "x",
          level: "CRITICAL",
          dimensions,
          at,
        };
        await hear(app, scene, { ...alarm, rule: move.rule, state: move.state });
        break;
      }
      case "quarantine":
        model.quarantineUntil = now + 600_000;
        await holdDrops(
          app,
          WEB,
          { kind: "quarantine", holderId: "rc-1", principal: "x", reason: "idle", until: model.quarantineUntil },
          [quarantine],
        );
        await look(scene, app, WEB, "quarantine");
        break;
      case "release":
        model.quarantineUntil = 0;
        await releaseDrops(app, WEB, "rc-1", "it is needed");
        await look(scene, app, WEB, "release");
        break;
      case "open": {
        const ask = {
          protocol: "tcp",
          port: "2200",
          sources: ["203.0.113.7"],
          group: "web",
          instance: null,
          region: null,
        };
        const terms = { periodMs: 900_000, reason: "to look", ticket: "", startAt: null, breakGlass: false };
        const opened = openLease(app, scene.asker("ann", "requester"), { ...ask, ...terms }, {
          ...{ mode: "repeat", idempotencyKey: null, dryRun: false },
        } as const);
        const code = await opened.then(
          ({ lease }) => {
            leaseId = lease.request.leaseId;
            model.leaseUntil = lease.status.until;
            return "";
          },
          (error: { code: string }) => error.code,
        );
        expect(code).toBe(model.isLocked(now) ? "GROUP_LOCKED_DOWN" : "");
        break;
      }
      case "end":
        model.leaseUntil = 0;
        if (leaseId !== null)
          await endLease(app, scene.asker("root"), leaseId, { dryRun: false }).catch(() => undefined);
        break;
      case "wait":
        await tick(scene, move.minutes);
    }
    await tick(scene, 1);
    const at = clock.now();
    const rules = scene.account.rules(WEB.groupId);
    const found = [
      ...rules.filter((rule) => rule.policy === "drop").map(inWords),
      ...(rules.some((rule) => ruleKey(rule) === ruleKey(leased)) ? ["leased"] : []),
    ].sort();
    // What has ended since the last tick is still there.
    expect([model.at(at), model.at(at - MINUTE_MS - 2000)]).toContainEqual(found);
  }
  await tick(scene, 45);
  expect(scene.account.rules(WEB.groupId).map((rule) => `${ruleKey(rule)} ${rule.description}`)).toEqual(before);
  expect(await leftOver(scene)).toEqual([]);
}

test("whatever alarms, quarantines and leases come and go, the group is what the model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aMove, { minLength: 1, maxLength: 14 }), async (moves) => {
      const scene = new Scene("lockdown model", { document, isDelivering: false });
      await scene.schedule.run(play(scene, moves));
      expect(scene.wrong).toEqual([]);
    }),
    { numRuns: Number(process.env["LOCKDOWN_RUNS"] ?? 25) },
  );
}, 120_000);
