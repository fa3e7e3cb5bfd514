// Goes through every state that a model can come to, breadth first.

/** Something that can happen in a state: what it is called, and the state after it. A step that breaks an invariant says which. */
export interface Step<State> {
  readonly name: string;
  readonly state: State;
  readonly broken?: string;
}

export interface Model<State> {
  readonly initial: readonly State[];
  /** Everything that can happen next. */
  next(state: State): readonly Step<State>[];
  /** The invariant that a state breaks, or null. */
  broken(state: State): string | null;
  /** True where all is over and well; from every state such a one has to be within reach. */
  isAtRest(state: State): boolean;
  /** Tells states apart. */
  keyOf(state: State): string;
}

/** What was found, with the shortest way to it. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** What has happened, by its name. */
  readonly steps: ReadonlySet<string>;
  readonly broken: { readonly invariant: string; readonly trace: readonly string[] } | null;
}

/** Explores until an invariant is broken or nothing is left. Throws RangeError beyond `statesMax`. */
export function explore<State>(model: Model<State>, statesMax = 2_000_000): Exploration {
  const known = new Map<string, number>();
  const states: State[] = [];
  const cameFrom: number[] = [];
  const cameBy: string[] = [];
  const before: number[][] = [];
  const steps = new Set<string>();
  let transitions = 0;
  const enter = (state: State, from: number, by: string): number => {
    const key = model.keyOf(state);
    const old = known.get(key);
    if (old !== undefined) return old;
    if (states.length >= statesMax) throw new RangeError(`the model has more than ${statesMax} states`);
    known.set(key, states.length);
    cameFrom.push(from);
    cameBy.push(by);
    before.push([]);
    return states.push(state) - 1;
  };
  const traceOf = (index: number, last?: string): readonly string[] => {
    const names = last === undefined ? [] : [last];
    for (let at = index; at >= 0; at = cameFrom[at] as number)
      if (cameBy[at] !== "") names.unshift(cameBy[at] as string);
    return names;
  };
  const found = (broken: Exploration["broken"]): Exploration => ({ states: states.length, transitions, steps, broken });

  for (const state of model.initial) enter(state, -1, "");
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as State;
    const invariant = model.broken(state);
    if (invariant !== null) return found({ invariant, trace: traceOf(index) });
    for (const step of model.next(state)) {
      transitions += 1;
      steps.add(step.name);
      if (step.broken !== undefined) return found({ invariant: step.broken, trace: traceOf(index, step.name) });
      before[enter(step.state, index, step.name)]?.push(index);
    }
  }
  const lost = whereNoRestIsInReach(
    states.map((state) => model.isAtRest(state)),
    before,
  );
  return found(lost === null ? null : { invariant: "it can still come to rest", trace: traceOf(lost) });
}

/** The first state from which no way leads to rest; null when there is none. */
function whereNoRestIsInReach(atRest: readonly boolean[], before: readonly (readonly number[])[]): number | null {
  const reaches = [...atRest];
  const open = atRest.flatMap((is, index) => (is ? [index] : []));
  for (let index = open.pop(); index !== undefined; index = open.pop())
    for (const earlier of before[index] ?? [])
      if (!reaches[earlier]) {
        reaches[earlier] = true;
        open.push(earlier);
      }
  const lost = reaches.indexOf(false);
  return lost < 0 ? null : lost;
}
