// What people do to the groups while passes run: each story says what has to be found of its rules at the end.

import type { RuleKey } from "../../shared/domain/ids.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { AppError } from "../../shared/errors/app-error.ts";
import type { RuleToWrite } from "../../shared/ports/firewall.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { freshEntry } from "../../shared/usecases/ledger/book-holds.ts";
import { retireEntry } from "../../shared/usecases/ledger/retire-entry.ts";
import { writtenFor } from "../../shared/usecases/ledger/rule-description.ts";
import { APP, ruleOf, type Scene, WEB } from "./scene.ts";

/** Somebody's moves, from the first to the last. */
export type Story = (scene: Scene) => Promise<void>;

/** Granted by the baseline of `web`: two for everybody, and one for each story that touches one. */
export const granted = {
  http: ruleOf(80, "0.0.0.0/0"),
  https: ruleOf(443, "0.0.0.0/0"),
  edited: ruleOf(8443, "10.0.0.0/8"),
  removed: ruleOf(9090, "10.1.0.0/16"),
  terraform: ruleOf(9443, "10.2.0.0/16"),
  ridden: ruleOf(22, "203.0.113.50/32"),
};
export const riddenInApp = ruleOf(22, "203.0.113.60/32");
export const ofApp = ruleOf(8080, "10.0.0.0/8");

const stands = (scene: Scene, ref: typeof WEB, spec: RuleSpec, description: string): string | null => {
  const rule = scene.rule(ref, spec);
  if (!rule) return `${ref.groupId} lacks ${ruleKey(spec)}`;
  return rule.description === description
    ? null
    : `${ruleKey(spec)} says "${rule.description}" and not "${description}"`;
};
const isGone = (scene: Scene, ref: typeof WEB, spec: RuleSpec): string | null =>
  scene.rule(ref, spec) ? `${ref.groupId} still has ${ruleKey(spec)}` : null;

/** Somebody opens what nobody granted, and perhaps changes or removes it. */
const junk: Story = async (scene) => {
  const { dice } = scene;
  const mallory = scene.person("mallory");
  const specs: RuleSpec[] = [];
  for (let n = dice.between(1, 3); n > 0; n--) {
    const spec = ruleOf(dice.pick([3306, 6379]) + n, dice.pick(["0.0.0.0/0", "198.51.100.0/24"]));
    specs.push(spec);
    await mallory.firewall.authorize(WEB, [{ spec, description: "" }], mallory.token(), "open");
    await scene.pause();
    const rule = scene.rule(WEB, spec);
    if (!rule || dice.happens(0.5)) continue;
    const wider = ruleOf(27_017 + n, "0.0.0.0/0");
    if (dice.happens(0.3)) await mallory.firewall.revoke(WEB, [rule.id], mallory.token(), "end").catch(() => undefined);
    else {
      specs.push(wider);
      const to = { spec: wider, description: "moved" };
      await mallory.firewall.modify(WEB, rule.id, to, mallory.token(), "end").catch(() => undefined);
    }
    await scene.pause();
  }
  scene.expectations.push(() => specs.map((spec) => isGone(scene, WEB, spec)).find((it) => it !== null) ?? null);
};

/** Somebody changes a granted rule in place. */
const editing: Story = async (scene) => {
  const mallory = scene.person("mallory");
  const rule = scene.rule(WEB, granted.edited);
  if (!rule) throw new Error("the baseline lacks a rule");
  const to: RuleToWrite = scene.dice.pick([
    { spec: ruleOf(8443, "0.0.0.0/0"), description: "granted" },
    { spec: granted.edited, description: "mine" },
  ]);
  await mallory.firewall.modify(WEB, rule.id, to, mallory.token(), "end");
  scene.expectations.push(() => stands(scene, WEB, granted.edited, "granted"));
};

/** Somebody removes a granted rule. */
const removing: Story = async (scene) => {
  const mallory = scene.person("mallory");
  const rule = scene.rule(WEB, granted.removed);
  if (!rule) throw new Error("the baseline lacks a rule");
  await mallory.firewall.revoke(WEB, [rule.id], mallory.token(), "end");
  scene.expectations.push(() => stands(scene, WEB, granted.removed, "granted"));
};

/** Rules that are their writer's alone: added, changed and removed, and found as they were left. */
const ownRules =
  (who: string, ref: typeof WEB, spec: (n: number) => RuleSpec, first: readonly RuleSpec[] = []): Story =>
  async (scene) => {
    const { dice } = scene;
    const writer = scene.person(who);
    const left = new Map(first.map((it) => [ruleKey(it), { spec: it, description: "granted" }]));
    const gone = new Map<RuleKey, RuleSpec>();
    for (const it of first) scene.guardRule(ref, it);
    for (let n = dice.between(2, 5); n > 0; n--) {
      const next = spec(n);
      scene.guardRule(ref, next);
      const held = [...left.values()];
      const it = held.length > 0 ? dice.pick(held) : undefined;
      const rule = it && scene.rule(ref, it.spec);
      if (!it || dice.happens(0.4)) {
        const to = { spec: next, description: `${who} ${n}` };
        await writer.firewall.authorize(ref, [to], writer.token(), "open");
        left.set(ruleKey(next), to);
      } else if (!rule) scene.wrong.push(`${who} does not find ${ruleKey(it.spec)}`);
      else if (dice.happens(0.5)) {
        const to = { spec: dice.happens(0.5) ? it.spec : next, description: `${who} changed ${n}` };
        await writer.firewall.modify(ref, rule.id, to, writer.token(), "end");
        left.delete(ruleKey(it.spec));
        gone.set(ruleKey(it.spec), it.spec);
        left.set(ruleKey(to.spec), to);
      } else {
        await writer.firewall.revoke(ref, [rule.id], writer.token(), "end");
        left.delete(ruleKey(it.spec));
        gone.set(ruleKey(it.spec), it.spec);
      }
      await scene.pause();
    }
    scene.always.push(() => {
      const answers = [
        ...[...left.values()].map((it) => stands(scene, ref, it.spec, it.description)),
        ...[...gone].flatMap(([key, it]) => (left.has(key) ? [] : [isGone(scene, ref, it)])),
      ];
      return answers.find((it) => it !== null) ?? null;
    });
  };

/** Somebody has a rule granted, writes it themselves, and perhaps gives it back. */
const ledger: Story = async (scene) => {
  const { dice } = scene;
  const carol = scene.person("carol");
  const spec = ruleOf(5432, "10.3.0.0/16");
  const reason = "for the reports";
  const ask = {
    group: "web",
    protocol: "tcp",
    port: "5432",
    sources: ["10.3.0.0/16"],
    policy: "accept",
    direction: "ingress",
    priority: 1,
    owner: "carol",
    application: "",
    reason,
    ticket: "",
    startAt: null,
    breakGlass: false,
    allowedSources: [],
    openHours: null,
    sensitiveConfirmed: true,
  } as const;
  const asker = scene.asker("carol");
  if (!(await scene.start("allocate", (app) => allocateRule(app, asker, ask, { dryRun: false }), 40)))
    return void scene.expectations.push(() => "a rule cannot be allocated");
  const to = { spec, description: writtenFor(reason) };
  if (dice.happens(0.5)) await carol.firewall.authorize(WEB, [to], carol.token(), "open");
  await scene.pause();
  if (dice.happens(0.5)) return void scene.expectations.push(() => stands(scene, WEB, spec, to.description));
  const { entryId } = freshEntry(WEB, spec);
  if (!(await scene.start("retire", (app) => retireEntry(app, asker, "web", entryId, { dryRun: false }), 40)))
    return void scene.expectations.push(() => "a rule cannot be retired");
  await scene.pause();
  const rule = scene.rule(WEB, spec);
  if (rule) await carol.firewall.revoke(WEB, [rule.id], carol.token(), "end").catch(() => undefined);
  scene.expectations.push(() => isGone(scene, WEB, spec));
};

/** Somebody asks for a lease, on a port of its own or on a rule that stands. */
const leasing =
  (group: typeof WEB, ridden: RuleSpec): Story =>
  async (scene) => {
    const { dice } = scene;
    const rides = dice.happens(0.4);
    const source = rides ? (group === WEB ? "203.0.113.50" : "203.0.113.60") : "203.0.113.7";
    const port = rides ? "22" : `${2200 + dice.between(0, 2)}`;
    const spec = rides ? ridden : ruleOf(Number(port), `${source}/32`);
    const isLong = dice.happens(0.3);
    const periodMs = isLong ? 1_800_000 : dice.between(60, 240) * 1000;
    const ask = {
      protocol: "tcp",
      port,
      sources: [source],
      group: group === WEB ? "web" : "app",
      instance: null,
      region: null,
      periodMs,
      reason: "to look",
      ticket: "",
      startAt: null,
      breakGlass: false,
    };
    const asker = scene.asker("ann", "requester");
    const idempotencyKey = `key-${group.groupId}-${port}`;
    let lease: Lease | undefined;
    let isShut = false;
    const open = scene.start(
      "open",
      async (app) => {
        isShut = false;
        const asked = openLease(app, asker, ask, { mode: "create", idempotencyKey, dryRun: false });
        const answer = await asked.catch((error: unknown) => {
          // A lockdown by closed accepts opens nothing new: that is an answer.
          if (!(error instanceof AppError) || error.code !== "GROUP_LOCKED_DOWN") throw error;
          isShut = true;
        });
        lease = answer?.lease;
      },
      20,
    );
    const isAnswered = await open;
    if (isShut) return;
    if (!isAnswered || !lease) return void scene.wrong.push("a lease cannot be opened");
    const { leaseId } = lease.request;
    await scene.pause();
    const kind = dice.between(0, 3);
    if (kind === 0)
      await scene.start("extend", (app) => extendLease(app, asker, leaseId, periodMs, { dryRun: false }), 3);
    if (kind === 1) await scene.start("end", (app) => endLease(app, asker, leaseId, { dryRun: false }), 3);
    scene.leases.push({ leaseId, group, spec, rides });
  };

/** Somebody authorizes just what a lease holds: in a group that is not enforced the rule is theirs from then on. */
const claiming: Story = async (scene) => {
  const { dice } = scene;
  const erin = scene.person("erin");
  const spec = ruleOf(2222, "203.0.113.8/32");
  const ask = {
    protocol: "tcp",
    port: "2222",
    sources: ["203.0.113.8"],
    group: "app",
    instance: null,
    region: null,
    periodMs: dice.between(60, 120) * 1000,
    reason: "to look",
    ticket: "",
    startAt: null,
    breakGlass: false,
  };
  const asker = scene.asker("ann", "requester");
  const options = { mode: "create", idempotencyKey: "key-claimed", dryRun: false } as const;
  const opening = scene.start("open", (app) => openLease(app, asker, ask, options), 20);
  if (dice.happens(0.5)) await opening;
  await scene.pause();
  await erin.firewall.authorize(APP, [{ spec, description: "mine" }], erin.token(), "open");
  await opening;
  scene.expectations.push(() => {
    const rule = scene.rule(APP, spec);
    return rule && !rule.description.startsWith("safeport/1") ? null : "a person's claim of a lease's rule is lost";
  });
};

/** A rule of the unguarded group's own people. */
export const daves = ownRules("dave", APP, (n) => ruleOf(7000 + n, "0.0.0.0/0"), [ofApp]);

export const stories: readonly Story[] = [
  junk,
  editing,
  removing,
  ownRules("dms", WEB, (n) => ruleOf(3300 + n, `100.104.${n}.0/24`)),
  ownRules("terraform", WEB, (n) => ruleOf(9500 + n, `10.9.${n}.0/24`), [granted.terraform]),
  daves,
  ledger,
  leasing(WEB, granted.ridden),
  leasing(APP, riddenInApp),
  claiming,
];
