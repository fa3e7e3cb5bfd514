// An accept that lockdowns close and give back, as a model: two that overlap, a lease that ends meanwhile, a person who edits the rule, replies
// that are lost and a process that dies at each step, in every order. What is decided about the entry is the program's own plan.
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Entry, Intent, LeaseHolder, Suspension } from "../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { applyPatch } from "../../shared/plan/apply-patch.ts";
import type { PlannedCall } from "../../shared/plan/entry-plan.ts";
import { planGroup } from "../../shared/plan/plan-group.ts";
import { aHolder, aMark, anEntry, aPicture, HOUR, LATE_MS, NOW, ours, ruleId } from "../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../kit/rules.ts";
import type { Model, Step } from "./explore.ts";

/** What a person does to the rule. `opens`: what is closed is authorized by them once more. */
export type Edit = "removes" | "moves" | "opens";

/** What the model can be robbed of, to see that it is broken without it. */
export type SuspensionPlanted =
  | "the note of what was closed"
  | "the intent before a revoke"
  | "the row before a revoke"
  | "the other lockdown";

export interface SuspensionTerms {
  /** Whose the accept is: somebody's, or that of a lease, which may end at any time. */
  readonly whose: "theirs" | "a lease's";
  readonly edit: Edit | null;
  readonly crashes: number;
  readonly losses: number;
  readonly without?: SuspensionPlanted;
}

const HERE = aSpec();
/** A port that lockdowns leave open. */
const THERE = aSpec({ ports: somePorts("443/443") });
const THEIRS = "web";
const LEASED_UNTIL = NOW + 100 * HOUR;
const MINE = aMark(HERE, { until: LEASED_UNTIL });
const LOCK_MS = 30_000;
const ROUNDS_MAX = 6;

interface Standing {
  readonly id: RuleId;
  readonly at: "here" | "there";
  readonly says: string;
}

type Call =
  | { readonly kind: "revoke"; readonly ruleId: RuleId }
  | { readonly kind: "authorize"; readonly says: string; readonly beforeIds: readonly RuleId[] };

/** A pass, which has the group's lock. What it remembers goes with it. */
interface Process {
  readonly at: "reads" | "plans" | "books" | "calls";
  readonly round: number;
  /** As it has read them. */
  readonly rules: readonly Standing[];
  /** Still to be made; the first is the next. */
  readonly calls: readonly Call[];
  readonly intents: readonly Intent[];
  readonly over: readonly string[];
  readonly answered: readonly string[];
  readonly uncertain: readonly string[];
  readonly revoked: readonly RuleId[];
  readonly done: readonly string[];
  readonly isAccepted: boolean;
  readonly isCleared: boolean;
}

export interface SuspendedState {
  readonly rules: readonly Standing[];
  readonly entry: Entry | null;
  readonly intents: readonly Intent[];
  readonly lockdowns: readonly ("to come" | "on" | "over")[];
  readonly process: Process | null;
  /** Calls whose reply is lost and whose effect is still to come. */
  readonly late: readonly Call[];
  readonly crashes: number;
  readonly losses: number;
  readonly edit: Edit | null;
  readonly edited: Edit | null;
  /** A process died, or a reply was lost, around a call: whose doing it is that the rule is gone or there, nobody can tell. */
  readonly hasOrphan: boolean;
  /** Somebody has edited a rule that was given back before any reading showed it. */
  readonly isUnseen: boolean;
  readonly isLeaseOver: boolean;
  readonly made: number;
}

const suspenderOf = (index: number) =>
  ({ kind: "lockdown", itemId: `ld-${index + 1}`, principal: "ann", reason: "", until: null }) as const;

/** The model under its terms. */
export function suspensionModel(terms: SuspensionTerms): Model<SuspendedState> {
  const { without } = terms;
  const isLeased = terms.whose === "a lease's";
  const first: Standing = { id: ruleId("1"), at: "here", says: isLeased ? MINE : THEIRS };
  const initial: SuspendedState = {
    rules: [first],
    entry: isLeased ? anEntry({ standing: ours("1"), holders: [aHolder({ until: LEASED_UNTIL })] }) : null,
    intents: [],
    lockdowns: ["to come", "to come"],
    process: null,
    late: [],
    crashes: terms.crashes,
    losses: terms.losses,
    edit: terms.edit,
    edited: null,
    hasOrphan: false,
    isUnseen: false,
    isLeaseOver: !isLeased,
    made: 1,
  };

  function next(state: SuspendedState): readonly Step<SuspendedState>[] {
    return [...incidents(state), ...person(state), ...pass(state), ...time(state)];
  }

  function incidents(state: SuspendedState): readonly Step<SuspendedState>[] {
    const steps = state.lockdowns.flatMap((is, index): readonly Step<SuspendedState>[] => {
      if (is === "over") return [];
      const lockdowns = state.lockdowns.with(index, is === "to come" ? "on" : "over");
      const entry = is === "to come" ? suspended(state.entry, index) : resumed(state.entry, index);
      return [
        {
          name: `lockdown ${index + 1} ${is === "to come" ? "begins" : "is lifted"}`,
          state: { ...state, lockdowns, entry },
        },
      ];
    });
    if (state.isLeaseOver || state.entry === null) return steps;
    const ended = { cause: "asked", note: null, detail: null } as const;
    const holders = state.entry.holders.map((it) => ({ ...(it as LeaseHolder), ended }));
    return [
      ...steps,
      { name: "the lease ends", state: { ...state, isLeaseOver: true, entry: { ...state.entry, holders } } },
    ];
  }

  function suspended(stored: Entry | null, index: number): Entry {
    const entry = stored ?? anEntry({ holders: [] });
    const fresh = { since: NOW, kept: null, wasAllocated: false };
    const by = [...(entry.suspension?.by ?? []), suspenderOf(index)];
    return { ...entry, undoneAt: [], suspension: { ...fresh, ...entry.suspension, by, liftedAt: null } };
  }

  function resumed(entry: Entry | null, index: number): Entry | null {
    if (!entry?.suspension) return entry;
    const isIt = ({ itemId }: { readonly itemId: string }) => itemId === suspenderOf(index).itemId;
    const by = without === "the other lockdown" ? [] : entry.suspension.by.filter((it) => !isIt(it));
    return { ...entry, suspension: { ...entry.suspension, by } };
  }

  function person(state: SuspendedState): readonly Step<SuspendedState>[] {
    const { edit, rules } = state;
    const rule = rules.find((it) => it.at === "here" && it.says === THEIRS);
    if (edit === null || (edit === "opens") === (rule !== undefined)) return [];
    const kept = state.entry?.suspension?.kept;
    const isUnseen = kept?.every((it) => it.ruleId !== rule?.id) === true && rule !== undefined;
    const made = state.made + 1;
    const after: readonly Standing[] =
      rule === undefined
        ? [...rules, { id: ruleId(String(made)), at: "here", says: THEIRS }]
        : edit === "removes"
          ? rules.filter((it) => it !== rule)
          : rules.map((it) => (it === rule ? { ...it, at: "there" } : it));
    return [
      { name: `somebody ${edit} it`, state: { ...state, rules: after, edit: null, edited: edit, isUnseen, made } },
    ];
  }

  /** One pass at a time, step by step; it may die before each, and a reply may be lost. */
  function pass(state: SuspendedState): readonly Step<SuspendedState>[] {
    const { process } = state;
    if (process === null)
      return hasWork(state) ? [{ name: "a pass begins", state: { ...state, process: begun(state) } }] : [];
    const steps: Step<SuspendedState>[] = [];
    if (state.crashes > 0) {
      const hasOrphan = state.hasOrphan || state.intents.length > 0;
      steps.push({
        name: "the process dies",
        state: { ...state, process: null, crashes: state.crashes - 1, hasOrphan },
      });
    }
    const [call] = process.calls;
    switch (process.at) {
      case "reads":
        steps.push({ name: "reads", state: { ...state, process: { ...process, at: "plans", rules: state.rules } } });
        break;
      case "plans":
        steps.push({ name: "plans and writes down", state: planned(state, process) });
        break;
      case "books":
        if (call) steps.push({ name: `books ${nameOf(call)}`, state: booked(state, process, call) });
        break;
      case "calls":
        if (call) steps.push(...called(state, process, call));
    }
    return steps;
  }

  const begun = (state: SuspendedState): Process => ({
    ...{ at: "reads", round: 0, rules: [], calls: [], intents: state.intents, over: [], answered: [] },
    ...{ uncertain: state.intents.map(({ intentId }) => intentId), revoked: [], done: [] },
    ...{ isAccepted: false, isCleared: false },
  });

  function planned(state: SuspendedState, process: Process): SuspendedState {
    const { entry, calls } = decided(state.entry, process.rules, process);
    const isReadBack = process.isCleared || (entry?.standing.kind ?? "none") !== "none";
    const isOver = (it: Intent): boolean =>
      process.answered.includes(it.intentId) && !process.uncertain.includes(it.intentId)
        ? it.rules.length === 0 || isReadBack
        : NOW >= it.attemptsEndAt + LATE_MS;
    const over = [...process.over, ...process.intents.filter(isOver).map(({ intentId }) => intentId)];
    const intents = process.intents.filter((it) => !isOver(it));
    const left = calls.filter((it) => !process.done.includes(nameOf(it)));
    const isBroken = without === "the row before a revoke" && left.some(({ kind }) => kind === "revoke");
    const stored = isBroken ? state.entry : entry;
    if (calls.length === 0 || process.round >= ROUNDS_MAX) {
      const kept = state.intents.filter(({ intentId }) => !over.includes(intentId));
      return { ...state, entry: stored, intents: kept, process: null };
    }
    const at = left.length === 0 ? "reads" : "books";
    return {
      ...state,
      entry: stored,
      process: { ...process, at, over, intents, calls: left, round: process.round + 1 },
    };
  }

  function booked(state: SuspendedState, process: Process, call: Call): SuspendedState {
    const made = state.made + 1;
    const entry = state.entry ?? anEntry({ holders: [] });
    const intent: Intent = {
      ...{ group: entry.group, intentId: `in-${made}`, call: call.kind, token: "", cause: "" },
      rules:
        call.kind === "authorize"
          ? [{ entryId: entry.entryId, spec: HERE, description: call.says, beforeIds: call.beforeIds }]
          : [],
      ruleIds: call.kind === "revoke" ? [call.ruleId] : [],
      ...{ bookedAt: NOW, attemptsEndAt: NOW + LOCK_MS },
    };
    if (without === "the intent before a revoke" && call.kind === "revoke")
      return { ...state, made, process: { ...process, at: "calls" } };
    const intents = [...state.intents, intent];
    return { ...state, made, intents, process: { ...process, at: "calls", intents: [...process.intents, intent] } };
  }

  function called(state: SuspendedState, process: Process, call: Call): readonly Step<SuspendedState>[] {
    const intent = process.intents.at(-1);
    const id = intent?.intentId ?? "";
    const isGone = call.kind === "revoke" && !state.rules.some((it) => it.id === call.ruleId);
    const rest = process.calls.slice(1);
    const goesOn = { ...process, at: rest.length > 0 ? "books" : "reads", calls: rest } as const;
    const answered: Process = {
      ...goesOn,
      done: [...process.done, nameOf(call)],
      ...(call.kind === "revoke"
        ? { revoked: [...process.revoked, call.ruleId], isCleared: true }
        : { isAccepted: true }),
      // That a rule is gone is known, and by nobody's doing of ours.
      ...(isGone
        ? { intents: process.intents.filter((it) => it !== intent), over: [...process.over, id] }
        : { answered: [...process.answered, id] }),
    };
    const steps: Step<SuspendedState>[] = [
      { name: `calls ${nameOf(call)}`, state: { ...effect(state, call), process: answered } },
    ];
    if (state.losses === 0) return steps;
    const lost = (it: Intent): Intent => (it.intentId === id ? { ...it, attemptsEndAt: NOW } : it);
    const unknowing = {
      ...{ losses: state.losses - 1, hasOrphan: true, intents: state.intents.map(lost) },
      process: { ...goesOn, intents: process.intents.map(lost), uncertain: [...process.uncertain, id] },
    } as const;
    return [
      ...steps,
      { name: `${nameOf(call)} is lost on its way`, state: { ...state, ...unknowing } },
      { name: `the reply of ${nameOf(call)} is lost`, state: { ...effect(state, call), ...unknowing } },
      { name: `${nameOf(call)} is late`, state: { ...state, ...unknowing, late: [...state.late, call] } },
    ];
  }

  /** The cloud makes no second rule of the same words. */
  function effect(state: SuspendedState, call: Call): SuspendedState {
    if (call.kind === "revoke") return { ...state, rules: state.rules.filter((it) => it.id !== call.ruleId) };
    if (state.rules.some((it) => it.at === "here")) return state;
    const made = state.made + 1;
    return { ...state, made, rules: [...state.rules, { id: ruleId(String(made)), at: "here", says: call.says }] };
  }

  /** A minute, in which what is late has come and no pass of before lives. */
  function time(state: SuspendedState): readonly Step<SuspendedState>[] {
    const [call, ...late] = state.late;
    if (call) return [{ name: `${nameOf(call)} comes late`, state: { ...effect(state, call), late } }];
    if (state.process !== null) return [];
    const { entry, intents } = state;
    const earlier = (at: number): number => Math.max(at - LATE_MS, NOW - 2 * LATE_MS);
    const older = (it: Suspension): Suspension => ({
      ...it,
      since: earlier(it.since),
      liftedAt: it.liftedAt === null ? null : earlier(it.liftedAt),
      ...(it.keptAt !== undefined && { keptAt: earlier(it.keptAt) }),
    });
    const aged = entry && {
      ...entry,
      suspension: entry.suspension && older(entry.suspension),
      missingSince: entry.missingSince === null ? null : earlier(entry.missingSince),
      undoneAt: entry.undoneAt.map(earlier),
    };
    const quiet = intents.map((it) => ({
      ...it,
      bookedAt: NOW - 2 * LATE_MS,
      attemptsEndAt: earlier(it.attemptsEndAt),
    }));
    const after = { ...state, entry: aged, intents: quiet };
    return keyOf(after) === keyOf(state) ? [] : [{ name: "a minute goes by", state: after }];
  }

  function decided(
    stored: Entry | null,
    standing: readonly Standing[],
    { intents, revoked, isAccepted }: Pick<Process, "intents" | "revoked" | "isAccepted">,
  ): { readonly entry: Entry | null; readonly calls: readonly Call[] } {
    const plan = planGroup(
      aPicture({
        rules: standing.map(asRule),
        entries: stored ? [stored] : [],
        ...{ intents, revoked: new Set(revoked), accepted: new Set(isAccepted && stored ? [stored.entryId] : []) },
      }),
    );
    const [patch] = plan.patches;
    const calls = plan.calls.flatMap((call) => callOf(call));
    if (stored === null || patch === undefined) return { entry: stored, calls };
    const after = applyPatch(stored, patch, NOW, new Set());
    const isOver = after.suspension === null && after.holders.every(({ ended }) => ended !== null) && patch.settled;
    return { entry: isOver ? null : unnoted(after), calls };
  }

  function unnoted(entry: Entry): Entry {
    if (without !== "the note of what was closed" || !entry.suspension?.kept) return entry;
    const kept = entry.suspension.kept.map(({ ruleId: id, description }) => ({ ruleId: id, description }));
    return { ...entry, suspension: { ...entry.suspension, kept } };
  }

  function hasWork(state: SuspendedState): boolean {
    if (state.intents.length > 0) return true;
    const { entry, calls } = decided(state.entry, state.rules, { intents: [], revoked: [], isAccepted: false });
    return calls.length > 0 || textOf(entry) !== textOf(state.entry);
  }

  const isQuiet = (state: SuspendedState): boolean =>
    state.process === null && state.late.length === 0 && !hasWork(state);

  function broken(state: SuspendedState): string | null {
    if (!isQuiet(state)) return null;
    const here = state.rules.filter(({ at }) => at === "here");
    if (state.lockdowns.includes("on")) return here.length > 0 ? "what a lockdown closes is closed" : null;
    const mine = here.filter(({ says }) => says === MINE).length;
    if (isLeased)
      return mine === (state.isLeaseOver ? 0 : 1) ? null : "a lease has its rule until it ends, and no longer";
    if (mine > 0) return "nothing is opened for nobody";
    const theirs = state.rules.filter(({ says }) => says === THEIRS).length;
    // Where nobody can tell who has closed it, it is given back.
    if (state.edited !== null && (state.hasOrphan || state.isUnseen)) return null;
    if (theirs > 1) return "a rule is given back once";
    if (state.edited === "removes") return theirs === 0 ? null : "what its owner has removed stays away";
    return theirs === 1 ? null : "what was closed is back";
  }

  return {
    initial: [initial],
    next,
    broken,
    isAtRest: (state) =>
      isQuiet(state) && state.entry?.suspension == null && state.lockdowns.every((it) => it === "over"),
    keyOf,
  };
}

const asRule = ({ id, at, says }: Standing): Rule =>
  aRule({ ...(at === "here" ? HERE : THERE), id, description: says });

function callOf(call: PlannedCall): readonly Call[] {
  if (call.kind === "revoke") return [{ kind: "revoke", ruleId: call.ruleId }];
  return call.kind === "authorize" ? [{ kind: "authorize", says: call.description, beforeIds: call.beforeIds }] : [];
}

const nameOf = (call: Call): string =>
  call.kind === "revoke" ? `revoke ${call.ruleId}` : `authorize ${call.says === MINE ? "the lease's" : "theirs"}`;

/** What of an entry moves. */
const textOf = (entry: Entry | null): string =>
  JSON.stringify(
    entry && [
      entry.holders.map(({ ended, openedAt }) => [ended, openedAt]),
      entry.standing,
      entry.suspension,
      entry.missingSince,
      entry.undoneAt,
    ],
  );

function keyOf({ entry, intents, process, ...state }: SuspendedState): string {
  const short = (all: readonly Intent[]) =>
    all.map((it) => [
      it.intentId,
      it.call,
      it.ruleIds,
      it.rules.map(({ description }) => description),
      it.attemptsEndAt,
    ]);
  return JSON.stringify([
    state,
    textOf(entry),
    short(intents),
    process && { ...process, intents: short(process.intents) },
  ]);
}
