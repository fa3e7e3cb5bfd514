// Who reaches which port while alarms, break-glass and a quarantine come and go, by drops and where drops do not fit: as a small model says.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LeaseId } from "../../shared/domain/ids.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { letsThrough } from "../../shared/domain/verdict.ts";
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
import { APP, ruleOf, Scene } from "../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../kit/rules.ts";
import { anAsk } from "../unit/usecases/app-world.ts";

const MINUTE_MS = 60_000;
const PERIODS_S = { ddos: 1800, flood: 900 } as const;
const GLASS_MS = 600_000;
const DOCUMENT = {
  alarms: [
    { rule: "ddos", do: "lockdown", period: PERIODS_S.ddos },
    { rule: "flood", do: "lockdown", scope: { groups: ["app"] }, period: PERIODS_S.flood },
  ],
  lockdown: { core: ["80", "443"], groups: ["*"] },
  operatorPath: [{ port: "22", sources: ["203.0.113.50"] }],
  breakGlass: { persons: ["carol"], periodMax: 900 },
};
const OWN = "203.0.113.7/32";
const OTHER = "198.51.100.9/32";
const WIDE = aSpec({ ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0"), priority: 5 });
const quarantine = { ...ruleOf(9090, "10.1.0.0/16"), policy: "drop" } as const;

const ALERT = { kind: "alarm", rule: "ddos", state: "ALERT" } as const;
const FLOOD = { ...ALERT, rule: "flood" } as const;

type Rule = keyof typeof PERIODS_S;
type Move =
  | { readonly kind: "alarm"; readonly rule: Rule; readonly state: "ALERT" | "OK" }
  | { readonly kind: "glass" | "unglass" | "quarantine" | "release" }
  | { readonly kind: "wait"; readonly minutes: number };

const aMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("alarm" as const),
      rule: fc.constantFrom<Rule>("ddos", "flood"),
      state: fc.constantFrom("ALERT" as const, "ALERT" as const, "OK" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("glass", "glass", "unglass", "quarantine", "release").map((kind) => ({ kind }) as Move),
  },
  { weight: 3, arbitrary: fc.constantFrom(1, 3, 12, 20).map((minutes) => ({ kind: "wait", minutes }) as Move) },
);

/** Each alarm has a scope of its own here, so that the group is in up to two lockdowns. A way through is through those that were on then. */
class Model {
  readonly #on = new Map<Rule, { readonly since: number; until: number }>();
  readonly #past: { readonly since: number; readonly until: number }[] = [];
  #glass: { readonly at: number; readonly through: boolean; until: number } | null = null;

  hear(rule: Rule, state: "ALERT" | "OK", now: number): void {
    const on = this.#on.get(rule);
    const isOn = on !== undefined && on.until > now;
    if (state === "ALERT") {
      const until = Math.ceil((now + PERIODS_S[rule] * 1000) / 1000) * 1000;
      if (!isOn) this.#on.set(rule, { since: now, until });
      else if (until >= on.until + MINUTE_MS) on.until = until;
    } else if (isOn) {
      this.#past.push({ since: on.since, until: now });
      this.#on.delete(rule);
    }
  }

  open(now: number): void {
    this.#glass = { at: now, through: true, until: now + GLASS_MS };
  }

  shut(now: number): void {
    if (this.#glass && this.#glass.until > now) this.#glass.until = now;
  }

  #lockdowns(at: number) {
    return [...this.#on.values(), ...this.#past].filter(({ since, until }) => since <= at && at < until);
  }

  isLocked = (at: number): boolean => this.#lockdowns(at).length > 0;

  isGlass = (at: number): boolean => this.#glass !== null && this.#glass.at <= at && at < this.#glass.until;

  /** Whether others come in by a port that is no core port, and whoever broke the glass by theirs. A later lockdown stops that. */
  at(at: number): readonly boolean[] {
    const on = this.#lockdowns(at);
    const given = this.#glass?.at ?? 0;
    const isPassed = this.isGlass(at) && on.every(({ since }) => since <= given);
    return [on.length === 0, on.length === 0 || isPassed];
  }
}

async function tick(scene: Scene, minutes: number): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    await scene.schedule.sleep(MINUTE_MS);
    const app = scene.quietApp();
    const deadlineAt = app.clock.monotonicMs() + 45_000;
    await sweep(app, { policy: scene.policy, cause: "tick", deadlineAt, jobs: allJobs });
  }
}

async function play(scene: Scene, moves: readonly Move[]): Promise<void> {
  await prepare(scene);
  const mallory = scene.person("mallory");
  await mallory.firewall.authorize(APP, [{ spec: WIDE, description: "wide" }], mallory.token(), "open");
  const rules = () =>
    scene.account
      .rules(APP.groupId)
      .map((rule) => `${ruleKey(rule)} ${rule.description}`)
      .sort();
  const isLet = (port: number, source: string): boolean =>
    letsThrough(
      aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source) }),
      scene.account.rules(APP.groupId),
    );
  const before = rules();
  const model = new Model();
  const { clock } = scene.quietApp();
  let leaseId: LeaseId | null = null;
  for (const move of moves) {
    const app = scene.quietApp();
    const now = clock.now();
    switch (move.kind) {
      case "alarm": {
        model.hear(move.rule, move.state, now);
        const dimensions = move.rule === "flood" ? {} : { instanceId: "i-1" };
        const about = { ruleId: move.rule, namespace: "acs_ecs_dashboard", metric: "x", level: "CRITICAL", dimensions };
        const row = await recordAlarm(app, { ...about, rule: move.rule, state: move.state, at: now }, scene.policy);
        const arrivedAt = app.clock.monotonicMs();
        if (row !== null && !row.isHandled)
          await actOnAlarm(app, row.alarmId, { policy: scene.policy, arrivedAt, deadlineAt: arrivedAt + 30_000 });
        break;
      }
      case "glass": {
        if (!model.isLocked(now) || model.isGlass(now)) break;
        const reason = "it has to be looked at";
        const { lease } = await openLease(
          app,
          scene.asker("carol", "requester"),
          anAsk({ group: "app", port: "8443", reason, breakGlass: true, periodMs: GLASS_MS }),
          { mode: "create", idempotencyKey: null, dryRun: false },
        );
        expect(lease.status.state).toBe("open");
        leaseId = lease.request.leaseId;
        model.open(now);
        break;
      }
      case "unglass":
        if (leaseId === null || !model.isGlass(now)) break;
        await endLease(app, scene.asker("carol", "requester"), leaseId, { dryRun: false });
        model.shut(now);
        break;
      case "quarantine": {
        const ask = {
          kind: "quarantine",
          holderId: "rc-1",
          principal: "x",
          reason: "idle",
          until: now + GLASS_MS,
        } as const;
        await holdDrops(app, APP, ask, [quarantine]);
        await look(scene, app, APP, "quarantine");
        break;
      }
      case "release":
        await releaseDrops(app, APP, "rc-1", "it is needed");
        await look(scene, app, APP, "release");
        break;
      case "wait":
        await tick(scene, move.minutes);
    }
    await tick(scene, 1);
    const at = clock.now();
    // Core ports to everybody and the operator's way, whatever else is on.
    expect([isLet(80, OTHER), isLet(443, OTHER), isLet(22, "203.0.113.50/32")]).toEqual([true, true, true]);
    const found = [isLet(3306, OTHER), isLet(8443, OWN)];
    // What has ended since the last ticks may still be there: a way is looked after each minute.
    const instants = [at, at - MINUTE_MS - 2000, at - 2 * MINUTE_MS - 4000];
    expect(instants.map((it) => model.at(it))).toContainEqual(found);
    if (!model.isGlass(at)) expect(isLet(8443, OTHER)).toBe(found[0]);
  }
  await tick(scene, 50);
  expect(rules()).toEqual(before);
  expect(await leftOver(scene)).toEqual([]);
}

describe.each([
  ["by drops", {}],
  ["where drops do not fit", { limits: { rulesPerInterface: 20, rulesKeptFree: 0 } }],
])("%s", (_name, more) => {
  test("core ports and operators are let in always, others when no lockdown is on, and break-glass as long as its lease", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aMove, { minLength: 1, maxLength: 12 }), async (moves) => {
        const scene = new Scene("lockdown reach", { document: { ...DOCUMENT, ...more }, isDelivering: false });
        await scene.schedule.run(play(scene, moves));
        expect(scene.wrong).toEqual([]);
      }),
      {
        numRuns: Number(process.env["LOCKDOWN_RUNS"] ?? 12),
        examples: [
          // Closed anew, a group that is closed by its accepts took the way of break-glass away.
          [[ALERT, { kind: "glass" }, ALERT, ALERT]],
          // The second lockdown found nothing to suspend, and was none when the first had ended.
          [[ALERT, FLOOD, { ...ALERT, state: "OK" }]],
          // A later lockdown suspends the lease's accept, and the next lease of the same words never opened.
          [[ALERT, { kind: "glass" }, FLOOD, { kind: "wait", minutes: 12 }, { kind: "glass" }]],
        ],
      },
    );
  }, 120_000);
});
