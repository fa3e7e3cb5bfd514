// Planted bugs: each takes away one thing that keeps an invariant, and names the checkers that may be the first to see it.
import type { FeatureName } from "./features.ts";

/** A piece of the program replaced by another. */
export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutation extends Edit {
  readonly name: string;
  /** What else has to go, where two things keep an invariant. */
  readonly also?: Edit;
  readonly seenBy: readonly string[];
  /** The first seed to try; 1 when absent. One in which it was seen saves time, and the next do as well. */
  readonly from?: number;
  /** What all seeds have, and nothing else, where what they draw shows it rarely. */
  readonly features?: readonly FeatureName[];
}

export const mutations: readonly Mutation[] = [
  {
    name: "no lock",
    file: "shared/domain/group-lock.ts",
    find: `if (!canLockMove(lockStateAt(row, now), "held")) return null;`,
    replace: "",
    seenBy: ["holds-its-lock", "keeps-to-its-moves"],
  },
  {
    name: "no look at the lock before a call",
    file: "shared/usecases/pass/pass-calls.ts",
    find: `if (!lock.isHeld()) return "later";`,
    replace: "",
    seenBy: ["holds-its-lock"],
    from: 13,
  },
  {
    name: "a pass that ends a lease records nothing",
    file: "shared/usecases/pass/run-pass.ts",
    find: "if (lines.length > 0) await writeRecord(app, record);",
    replace: "if (lines.length > 0 && closed.size === 0) await writeRecord(app, record);",
    seenBy: ["intent-and-record"],
  },
  {
    name: "whom the policy trusts is heard like anybody",
    file: "shared/plan/judge-drift.ts",
    find: "trustedPrincipals.find(({ principal }) => isActor(actor, principal)) ?? null;",
    replace: "trustedPrincipals.find(() => actor === null) ?? null;",
    seenBy: ["trusted-are-heard"],
    from: 5,
  },
  {
    name: "what somebody adopts in another's place leaves that granted",
    file: "shared/usecases/drift/decide-drift.ts",
    find: "const changes = (await isRetiredFirst(work)) ? [...retired, ...allocated] : [...allocated, ...retired];",
    replace: "const changes = allocated.length > 0 ? allocated : retired;",
    seenBy: ["restores-what-was-granted", "never-wider"],
    from: 9,
  },
  {
    name: "no intent is booked",
    file: "shared/usecases/pass/pass-intents.ts",
    find: "await this.app.tables.writeAll([intentWrite(intent)]);",
    replace: "void intentWrite;",
    seenBy: ["intent-and-record"],
  },
  {
    name: "what the cloud has accepted counts as open without a reading",
    file: "shared/plan/plan-entry.ts",
    find: "  const description = markOf(entry, live, picture);\n  const cause = window",
    replace:
      '  if (picture.accepted.has(entry.entryId)) return change({ opens: "all" });\n  const description = markOf(entry, live, picture);\n  const cause = window',
    seenBy: ["open-means-open"],
    from: 15,
  },
  {
    name: "what a late write may still do is not waited for",
    file: "shared/usecases/pass/pass-intents.ts",
    find: ": readAt >= intent.attemptsEndAt + lateEffectMaxMs;",
    replace: ": readAt >= intent.attemptsEndAt;",
    seenBy: ["ends-in-time", "converges", "never-wider"],
    from: 41,
  },
  {
    name: "only the first holder counts",
    file: "shared/plan/entry-view.ts",
    find: "live: held.holders.filter((holder) => isHolding(holder, now)),",
    replace: "live: held.holders.slice(0, 1).filter((holder) => isHolding(holder, now)),",
    seenBy: ["shared-rules-stay"],
    from: 116,
  },
  {
    name: "every rule of the key is ours",
    file: "shared/plan/entry-view.ts",
    find: "ours: same.filter((rule) => rule === booked || isMarkedFor(rule, entry, intents, picture)),",
    replace: "ours: same.filter((rule) => rule === booked || isMarkedFor(rule, entry, intents, picture) || true),",
    // A lockdown gives back what it has closed, and not what was removed meanwhile.
    seenBy: ["removes-only-its-own", "lockdown-leaves-nothing"],
  },
  {
    name: "the due rows of a lease are written after it",
    file: "shared/usecases/lease/book-lease.ts",
    find: "  await app.tables.writeAll([dueWrite(end), dueWrite(netOf(app, request)), ...jobs, ...loud]);",
    replace:
      "  void app.clock.sleep(3000).then(() => app.tables.writeAll([dueWrite(end), dueWrite(netOf(app, request)), ...jobs, ...loud])).catch(() => undefined);",
    seenBy: ["ends-in-time", "converges", "never-wider"],
    from: 30,
  },
  {
    name: "a lease that is over may be written again",
    file: "shared/store/leases.ts",
    find: "fence: isFinal(status.state) ? SEALED : fence",
    replace: "fence: isFinal(status.state) && SEALED < 0 ? SEALED : fence",
    seenBy: ["keeps-to-its-moves"],
    from: 10,
  },
  {
    name: "a mode holds up ends as well",
    file: "shared/plan/mode-guard.ts",
    find: `if (call.kind === "revoke") return call.suspends === undefined || mode !== "halt";`,
    replace: `if (call.kind === "revoke") return mode !== "halt";`,
    seenBy: ["ends-in-time"],
    from: 9,
  },
  {
    name: "a record follows one that may not have been written",
    file: "shared/store/records.ts",
    find: "  await recorder.tables.writeAll([recordWrite(chained), ...beside]);",
    replace:
      "  await recorder.tables.writeAll([recordWrite(chained), ...beside]).catch((error) => { lanes.free.push({ lane, n, sequence, hash: recordHash(chained), stamp }); throw error; });",
    seenBy: ["trail-is-whole"],
  },
  {
    name: "what needs a second person is granted without",
    file: "shared/plan/judge-grant.ts",
    find: "const approvals = Math.max(0, ...needs.map((need) => need.count));",
    replace: "const approvals = Math.min(0, ...needs.map((need) => need.count));",
    seenBy: ["second-person"],
  },
  {
    name: "whoever asked may approve by a token of their own",
    file: "shared/usecases/approval/decide-lease.ts",
    find: "const bar = approverBar(caller, request, approval);",
    replace: "const bar = null as ReturnType<typeof approverBar>;",
    seenBy: ["second-person"],
  },
  {
    name: "a request is approved after its time",
    file: "shared/usecases/approval/decide-lease.ts",
    find: `if (now >= approval.lapsesAt) throw fail("APPROVAL_DECIDED", { lease: leaseId, state: "lapsed" });`,
    replace: "",
    seenBy: ["second-person"],
    from: 27,
  },
  {
    name: "a link is believed without its signature",
    file: "shared/domain/approval-link.ts",
    find: "return given.length === own.length && timingSafeEqual(given, own);",
    replace: "return given.length === own.length || timingSafeEqual(given, own);",
    seenBy: ["second-person"],
    from: 27,
  },
  {
    name: "a lockdown ends with the core ports",
    file: "shared/plan/plan-lockdown.ts",
    find: ".filter((port) => port <= PORT_MAX)",
    replace: ".filter((port) => port <= 443 && port <= PORT_MAX)",
    seenBy: ["lockdown-closes"],
  },
  {
    name: "a lockdown shuts operators out",
    file: "shared/plan/plan-lockdown.ts",
    find: "const sources = paths.filter(isIn).flatMap((it) => it.sources);",
    replace: "const sources: readonly Cidr[] = [];",
    also: {
      file: "shared/plan/plan-lockdown.ts",
      find: "  for (const { addresses, otherRules } of interfaces) {\n    const [path]",
      replace: "  for (const { addresses, otherRules } of interfaces.slice(0, 0)) {\n    const [path]",
    },
    seenBy: ["operators-come-in"],
  },
  {
    name: "an alarm that is over lifts nothing",
    file: "shared/usecases/lockdown/act-on-alarm.ts",
    find: "if (lockdown.causes.length > 0) return",
    replace: "if (lockdown.causes.length >= 0) return",
    // Its job looks every minute, and lifts what nothing keeps on any more.
    also: {
      file: "shared/usecases/lockdown/tend-lockdown.ts",
      find: `if (lockdown.state === "lifting" || until <= now || causes.length === 0) {`,
      replace: `if (lockdown.state === "lifting" || until <= now) {`,
    },
    seenBy: ["lockdown-leaves-nothing"],
    from: 5,
  },
  {
    name: "what is closed for a lockdown is not given back",
    file: "shared/plan/plan-suspended.ts",
    find: ": gone.map(({ description }) => (",
    replace: ": gone.slice(0, 0).map(({ description }) => (",
    seenBy: ["lockdown-leaves-nothing"],
    from: 3,
  },
  {
    name: "an event is believed without the trail",
    file: "shared/plan/judge-drift.ts",
    find: `if (!author.confirmed && author.doubt !== "refused") {`,
    replace: `if (!author.confirmed && author.doubt !== "refused" && now < 0) {`,
    seenBy: ["restores-what-was-granted"],
    from: 18,
  },
  {
    name: "a claim on a lease's rule is believed without the trail",
    file: "shared/usecases/pass/settle-claims.ts",
    find: "if (!sighting.confirmed && (isAsked || claims.length > 0)) {",
    replace: "if (!sighting.confirmed && isAsked) {",
    seenBy: ["ends-in-time"],
    from: 10,
  },
  {
    name: "nobody looks what is opened while a lockdown lasts",
    file: "shared/usecases/lockdown/tend-lockdown.ts",
    find: "const seen = await watchLockdown(app, policy, lockdown, deadlineAt);",
    replace: "const seen = await Promise.resolve(watchLockdown && lockdown);",
    seenBy: ["lockdown-closes"],
    from: 81,
  },
  {
    name: "lists are filled for fewer groups than they close",
    file: "shared/plan/standby-drops.ts",
    find: "members.length > 0 && members.every((id) => groups.has(id))",
    replace: "members.length > 0 && members.some((id) => groups.has(id))",
    seenBy: ["lockdown-leaves-nothing"],
    from: 122,
  },
  {
    name: "a drop of a lockdown stands on past the end in its mark",
    file: "shared/plan/picture.ts",
    find: "holder.ended === null && holder.until > now;",
    replace: `holder.ended === null && (holder.until > now || holder.kind === "lockdown");`,
    also: {
      file: "shared/plan/apply-patch.ts",
      find: "if (holder.until <= now) return",
      replace: `if (holder.until <= now && holder.kind !== "lockdown") return`,
    },
    // Seen where nobody can lift the lockdown, as its row cannot be read.
    seenBy: ["lockdown-leaves-nothing"],
    from: 748035,
  },
  {
    name: "a lease that starts later opens at once",
    file: "shared/plan/plan-start.ts",
    find: `if (now < start) return "early";`,
    replace: "",
    also: {
      file: "shared/usecases/lease/start-lease.ts",
      find: "dueJob(JOB, leaseId, at);",
      replace: "dueJob(JOB, leaseId, at - 600_000);",
    },
    seenBy: ["never-wider"],
    from: 8,
  },
  {
    name: "what the policy denies is opened all the same",
    file: "shared/usecases/group/open-facts.ts",
    find: `if (policy.groups.denied.includes(facts.ref.groupId)) return "the policy denies it";`,
    replace: "",
    also: {
      file: "shared/usecases/group/open-facts.ts",
      find: "  if (denied !== null)\n",
      replace: "  if (denied !== null && members.length < 0)\n",
    },
    seenBy: ["denied-stays-shut"],
    from: 2,
  },
  {
    name: "what another group of a host refuses is told to be open",
    file: "shared/usecases/group/open-facts.ts",
    find: "mergeRules([rules, ...member.groupIds.map((id) => facts.siblings.get(id) ?? [])]),",
    replace: "mergeRules([rules, ...member.groupIds.slice(0, 0).map((id) => facts.siblings.get(id) ?? [])]),",
    seenBy: ["open-means-open"],
    from: 4,
  },
  {
    name: "what a rule of the policy denies is granted",
    file: "shared/plan/judge-grant.ts",
    find: `if (rule?.effect === "deny")`,
    replace: `if (rule?.effect === "deny" && rule.name === "")`,
    seenBy: ["denied-stays-shut"],
    from: 817060,
  },
  {
    name: "a lockdown that is lifted gives leases nothing back",
    file: "shared/usecases/ledger/resume-rules.ts",
    find: "const closed = entries.filter((entry) =>",
    replace: "const closed = entries.filter((entry) => entry.holders.length === 0 &&",
    seenBy: ["grants-stay"],
    from: 817074,
  },
  {
    name: "what is allocated and was never seen counts as removed by somebody",
    file: "shared/plan/plan-allocated.ts",
    find: "if (allocation.seenAt === null) {",
    replace: "if (allocation.seenAt === null && picture.now < 0) {",
    seenBy: ["grants-stay"],
    from: 817002,
  },
  {
    name: "what is used is recycled as well",
    file: "shared/plan/judge-use.ts",
    find: "if (found.use.length > 0) return",
    replace: "if (found.use.length > 0 && terms.now < 0) return",
    seenBy: ["recycling-harms-nobody"],
  },
  {
    name: "who is refused by a quarantine lifts nothing",
    file: "shared/usecases/recycling/watch-recycling.ts",
    find: "if (visitor) found.push",
    replace: "if (visitor && now < 0) found.push",
    // The night sees it as well.
    also: {
      file: "shared/plan/advance-item.ts",
      find: "if (visitors.length > 0) return",
      replace: "if (visitors.length < 0) return",
    },
    seenBy: ["recycling-harms-nobody"],
    from: 2,
  },
  {
    name: "a rule is deleted before its quarantine has been silent for its time",
    file: "shared/plan/advance-item.ts",
    find: "if (watch.silentMs < terms.quarantineMs) return",
    replace: "if (watch.silentMs < 0) return",
    seenBy: ["recycling-harms-nobody"],
    from: 6,
  },
  {
    name: "what recycling gives back has lost its description",
    file: "shared/usecases/recycling/recycling-ledger.ts",
    find: "description: kept.description };",
    replace: `description: "" };`,
    seenBy: ["recycling-harms-nobody"],
    from: 16,
  },
  {
    name: "a drop outlives its quarantine",
    file: "shared/usecases/recycling/settle-recycling.ts",
    find: "if (item.quarantine === null) return true;",
    replace: "if (item.quarantine === null || item.step.at > 0) return true;",
    // The night lets go of what nobody holds any more.
    also: {
      file: "shared/usecases/recycling/recycle-group.ts",
      find: `if (kind !== "quarantine" || ended !== null || run.dryRun) continue;`,
      replace: `if (kind !== "" || run.dryRun) continue;`,
    },
    seenBy: ["recycling-harms-nobody", "restores-what-was-granted"],
  },
  {
    name: "rules are quarantined where recycling is only reported",
    file: "shared/usecases/recycling/look-at-item.ts",
    find: "isNamed: isRecycled(policy.recycling, { groupId: scene.group.groupId, name: scene.name }),",
    replace: "isNamed: isRecycled !== undefined,",
    seenBy: ["recycling-harms-nobody"],
    from: 6,
  },
  {
    name: "an intent that cannot be read holds up all of its group",
    file: "shared/store/intents.ts",
    find: "if (!(error instanceof AppError)) throw error;",
    replace: "if (error instanceof Error) throw error;",
    seenBy: ["ends-in-time", "converges"],
    features: ["store"],
    from: 6,
  },
  {
    name: "an observed group is rolled back like an enforced one",
    file: "shared/plan/effective-guard.ts",
    find: `const acts = doubt === null ? level : "observe";`,
    replace: `const acts = level === "none" ? level : doubt === null ? "enforce" : "observe";`,
    seenBy: ["removes-only-its-own"],
  },
  {
    name: "an intent stays when its outcome is known",
    file: "shared/usecases/pass/run-pass.ts",
    find: "...(mayDelete ? this.intents.over : []).map(intentDelete),",
    replace: "...(mayDelete ? this.intents.over.slice(0, 0) : []).map(intentDelete),",
    seenBy: ["converges"],
  },
  {
    name: "a request that makes no sense is refused by an error of no kind",
    file: "shared/usecases/lease/lease-ask.ts",
    find: "if (!grant.ok) throw fail(grant.problem.code, grant.problem.detail);",
    replace: "if (!grant.ok) throw new RangeError(grant.problem.code);",
    seenBy: ["no-raw-errors"],
  },
  {
    name: "a lease of one host opens the port of all in its group",
    file: "shared/usecases/lease/lease-ask.ts",
    find: "if (target.dests.length === 0) return specsOf(ask, policy);",
    replace: "if (target.dests.length >= 0) return specsOf(ask, policy);",
    seenBy: ["never-wider"],
  },
  {
    name: "open hours begin two minutes early",
    file: "shared/plan/open-window.ts",
    find: "const window = allocation?.openHours ? windowAt(allocation.openHours, now) : null;",
    replace:
      "const hours = allocation?.openHours; const window = hours ? (windowAt(hours, now) ?? windowAt(hours, now + 120_000)) : null;",
    seenBy: ["never-wider"],
    features: ["hours"],
  },
  {
    name: "open hours are not looked at when they begin",
    file: "shared/plan/open-window.ts",
    find: "return windowAt(hours, now)?.until ?? nextOpening(hours, now);",
    replace: "return windowAt(hours, now)?.until ?? null;",
    seenBy: ["grants-stay"],
    features: ["hours"],
  },
  {
    name: "nothing of a wide rule is kept in a lockdown",
    file: "shared/plan/split-accept.ts",
    find: "return named.has(ruleKey(whole)) ? null : [...named.values()];",
    replace: "return named.has(ruleKey(whole)) ? null : [];",
    seenBy: ["operators-come-in"],
    features: ["wide", "narrow", "alarms"],
  },
];
