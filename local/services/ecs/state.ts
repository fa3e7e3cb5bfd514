// The state of the embedded ECS: what an account holds now and held a moment ago, and who is told of changes.
import type { Clock } from "../../../shared/ports/clock.ts";
import type { InstanceChange } from "./instance-event.ts";
import type { EcsEni, EcsGroup, EcsInstance, EcsList } from "./model.ts";
import type { EcsChange, EcsSnapshot, EcsStore, EcsToken } from "./persistence.ts";

/** Told, before the answer goes out, which groups have new rules, members or inner policy. */
export type RulesChangedListener = (groupIds: readonly string[]) => void | Promise<void>;

/** Told, before the answer goes out, of every state that an instance passes or comes to, in order. */
export type InstanceListener = (change: InstanceChange) => void;

/** What reads see. */
export interface EcsView {
  groups(): readonly EcsGroup[];
  instances(): readonly EcsInstance[];
  enis(): readonly EcsEni[];
  lists(): readonly EcsList[];
}

/** A write in progress: nothing is seen by others before `EcsState.commit`. */
export interface EcsDraft {
  group(groupId: string): EcsGroup | undefined;
  groups(): readonly EcsGroup[];
  enis(): readonly EcsEni[];
  instances(): readonly EcsInstance[];
  lists(): readonly EcsList[];
  putList(list: EcsList): void;
  deleteList(listId: string): void;
  putGroup(group: EcsGroup): void;
  deleteGroup(groupId: string): void;
  putEni(eni: EcsEni): void;
  deleteEni(eniId: string): void;
  putInstance(instance: EcsInstance): void;
  deleteInstance(instanceId: string): void;
  putToken(token: EcsToken): void;
  token(key: string): EcsToken | undefined;
  dropToken(key: string): void;
}

/** How long replaced groups are kept for stale reads. */
const historyMsMax = 600_000;
/** How many replaced groups are kept at most, whatever their age. */
const historyLengthMax = 2_000;

interface Replaced {
  readonly at: number;
  readonly groupId: string;
  readonly before: EcsGroup | undefined;
}

/** Holds the data in memory, and in the store when there is one. Values are immutable and replaced whole. */
export class EcsState implements EcsView {
  readonly #clock: Clock;
  readonly #store: EcsStore | undefined;
  readonly #listeners = new Set<RulesChangedListener>();
  readonly #instanceListeners = new Set<InstanceListener>();
  #groups = new Map<string, EcsGroup>();
  #enis = new Map<string, EcsEni>();
  #instances = new Map<string, EcsInstance>();
  #lists = new Map<string, EcsList>();
  #tokens = new Map<string, EcsToken>();
  /** Keys of `#tokens` by the token alone, the first that used it. */
  #firstKeys = new Map<string, string>();
  #history: Replaced[] = [];

  constructor(options: { clock: Clock; store: EcsStore | undefined; initial: () => EcsSnapshot }) {
    this.#clock = options.clock;
    this.#store = options.store;
    const stored = this.#store?.load();
    const snapshot = stored ?? options.initial();
    this.#install(snapshot);
    if (stored === undefined) this.#store?.replace(snapshot);
  }

  groups(): readonly EcsGroup[] {
    return [...this.#groups.values()];
  }
  instances(): readonly EcsInstance[] {
    return [...this.#instances.values()];
  }
  enis(): readonly EcsEni[] {
    return [...this.#enis.values()];
  }
  lists(): readonly EcsList[] {
    return [...this.#lists.values()];
  }

  /** The key of the API that used a ClientToken first, while it is remembered. */
  firstKeyOf(token: string): string | undefined {
    const key = this.#firstKeys.get(token);
    return key !== undefined && this.#tokens.has(key) ? key : undefined;
  }

  /** Keys of the tokens that were first used before that instant. */
  tokensBefore(at: number): readonly string[] {
    const old: string[] = [];
    // In order of use.
    for (const token of this.#tokens.values()) {
      if (token.at >= at) break;
      old.push(token.key);
    }
    return old;
  }

  /** The whole state as data. */
  snapshot(): EcsSnapshot {
    return {
      groups: this.groups(),
      enis: this.enis(),
      instances: this.instances(),
      lists: this.lists(),
      tokens: [...this.#tokens.values()],
    };
  }

  /** What a read shows that lags `ms` behind. Groups lag; members do not. */
  viewAgo(ms: number): EcsView {
    if (ms <= 0) return this;
    const since = this.#clock.now() - ms;
    const groups = new Map(this.#groups);
    for (const past of this.#history.filter(({ at }) => at > since).reverse()) {
      if (past.before === undefined) groups.delete(past.groupId);
      else groups.set(past.groupId, past.before);
    }
    return {
      groups: () => [...groups.values()],
      instances: () => this.instances(),
      enis: () => this.enis(),
      lists: () => this.lists(),
    };
  }

  /** Calls the listener after every commit that concerns the data plane; answers how to stop. */
  onRulesChanged(listener: RulesChangedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener after every commit that starts, stops or deletes an instance. */
  onInstanceChanged(listener: InstanceListener): void {
    this.#instanceListeners.add(listener);
  }

  /** A draft and the function that makes it true: stored durably, then visible, then told to the listeners. */
  begin(): { draft: EcsDraft; commit: () => Promise<void> } {
    const groups = new Map<string, EcsGroup | undefined>();
    const enis = new Map<string, EcsEni | undefined>();
    const instances = new Map<string, EcsInstance | undefined>();
    const lists = new Map<string, EcsList | undefined>();
    const tokens = new Map<string, EcsToken | undefined>();
    const over = <T>(base: ReadonlyMap<string, T>, changed: ReadonlyMap<string, T | undefined>): T[] => {
      const all = new Map<string, T | undefined>([...base, ...changed]);
      return [...all.values()].filter((value) => value !== undefined);
    };
    const draft: EcsDraft = {
      group: (id) => (groups.has(id) ? groups.get(id) : this.#groups.get(id)),
      groups: () => over(this.#groups, groups),
      enis: () => over(this.#enis, enis),
      instances: () => over(this.#instances, instances),
      lists: () => over(this.#lists, lists),
      putList: (list) => void lists.set(list.listId, list),
      deleteList: (id) => void lists.set(id, undefined),
      putGroup: (group) => {
        if (draft.group(group.groupId) !== group) groups.set(group.groupId, group);
      },
      deleteGroup: (id) => void groups.set(id, undefined),
      putEni: (eni) => void enis.set(eni.eniId, eni),
      deleteEni: (id) => void enis.set(id, undefined),
      putInstance: (instance) => void instances.set(instance.instanceId, instance),
      deleteInstance: (id) => void instances.set(id, undefined),
      token: (key) => (tokens.has(key) ? tokens.get(key) : this.#tokens.get(key)),
      putToken: (token) => void tokens.set(token.key, token),
      dropToken: (key) => void tokens.set(key, undefined),
    };
    return { draft, commit: () => this.#commit({ groups, enis, instances, lists, tokens }) };
  }

  /** Replaces everything, history and tokens included. */
  async reset(snapshot: EcsSnapshot): Promise<void> {
    const touched = new Set([...this.#groups.keys(), ...snapshot.groups.map((group) => group.groupId)]);
    this.#store?.replace(snapshot);
    this.#install(snapshot);
    await this.#tell([...touched]);
  }

  /** Releases the store. */
  close(): void {
    this.#store?.close();
  }

  #install(snapshot: EcsSnapshot): void {
    this.#groups = new Map(snapshot.groups.map((group) => [group.groupId, group]));
    this.#enis = new Map(snapshot.enis.map((eni) => [eni.eniId, eni]));
    this.#instances = new Map(snapshot.instances.map((instance) => [instance.instanceId, instance]));
    this.#lists = new Map(snapshot.lists.map((list) => [list.listId, list]));
    this.#tokens = new Map();
    this.#firstKeys = new Map();
    this.#remember(new Map(snapshot.tokens.map((token) => [token.key, token])));
    this.#history = [];
  }

  async #commit(changed: {
    groups: ReadonlyMap<string, EcsGroup | undefined>;
    enis: ReadonlyMap<string, EcsEni | undefined>;
    instances: ReadonlyMap<string, EcsInstance | undefined>;
    lists: ReadonlyMap<string, EcsList | undefined>;
    tokens: ReadonlyMap<string, EcsToken | undefined>;
  }): Promise<void> {
    if (Object.values(changed).every(({ size }) => size === 0)) return;
    const groups: EcsChange["groups"] = new Map(
      [...changed.groups].map(([id, after]) => [id, { before: this.#groups.get(id), after }]),
    );
    const touched = new Set(changed.groups.keys());
    for (const [id, eni] of changed.enis) {
      for (const groupId of [...(this.#enis.get(id)?.groupIds ?? []), ...(eni?.groupIds ?? [])]) touched.add(groupId);
    }
    const namesList = ({ rules }: EcsGroup): boolean =>
      rules.some((rule) =>
        [rule.sourcePrefixListId, rule.destPrefixListId, rule.portRangeListId].some((id) => changed.lists.has(id)),
      );
    for (const group of this.#groups.values()) if (namesList(group)) touched.add(group.groupId);
    const { enis, instances, lists, tokens } = changed;
    // What an instance serves is the data plane's business, by way of the groups that its interfaces are in.
    for (const { instanceId, groupIds } of this.#enis.values())
      if (instances.has(instanceId)) for (const groupId of groupIds) touched.add(groupId);
    const states = [...instances].flatMap(([id, after]) => statesOf(this.#instances.get(id), after));
    this.#store?.commit({ groups, enis, instances, lists, tokens });
    const at = this.#clock.now();
    for (const [groupId, { before }] of groups) this.#history.push({ at, groupId, before });
    const isOld = (past: Replaced | undefined): boolean =>
      past !== undefined && (past.at < at - historyMsMax || this.#history.length > historyLengthMax);
    while (isOld(this.#history[0])) this.#history.shift();
    replaceIn(this.#groups, changed.groups);
    replaceIn(this.#enis, changed.enis);
    replaceIn(this.#instances, changed.instances);
    replaceIn(this.#lists, changed.lists);
    this.#remember(changed.tokens);
    if (touched.size > 0) await this.#tell([...touched]);
    for (const state of states) for (const listener of this.#instanceListeners) listener(state);
  }

  #remember(tokens: ReadonlyMap<string, EcsToken | undefined>): void {
    for (const key of tokens.keys()) this.#tokens.delete(key);
    replaceIn(this.#tokens, tokens);
    for (const [key, known] of tokens) {
      const token = key.slice(key.indexOf(" ") + 1);
      if (this.firstKeyOf(token) !== undefined) continue;
      if (known === undefined) this.#firstKeys.delete(token);
      else this.#firstKeys.set(token, key);
    }
  }

  async #tell(groupIds: readonly string[]): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener(groupIds)));
  }
}

/** What is told of a change: a state in between, and the one at its end. */
const statesOf = (before: EcsInstance | undefined, after: EcsInstance | undefined): readonly InstanceChange[] => {
  const { instanceId, name, regionId } = (before ?? after) as EcsInstance;
  const told = (...states: readonly InstanceChange["state"][]): readonly InstanceChange[] =>
    states.map((state) => ({ instanceId, name, regionId, state }));
  if (after === undefined) return told("Deleted");
  return after.status === "Running" ? told("Starting", "Running") : told("Stopping", "Stopped");
};

const replaceIn = <T>(target: Map<string, T>, changes: ReadonlyMap<string, T | undefined>): void => {
  for (const [id, value] of changes) {
    if (value === undefined) target.delete(id);
    else target.set(id, value);
  }
};
