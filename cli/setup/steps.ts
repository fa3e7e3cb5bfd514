// What setup has to bring about: each thing looked at first, made when it is not there, and taken away by uninstall.

/** How a thing is. `wrong` cannot be mended by making it; the words say what can be done. */
export type Look =
  | { readonly state: "ready" }
  | { readonly state: "missing"; readonly what: string }
  | { readonly state: "differs"; readonly what: string }
  | { readonly state: "wrong"; readonly what: string };

/** One thing. Looking changes nothing; making and removing may be repeated after any interruption. */
export interface Step {
  readonly id: string;
  look(): Promise<Look>;
  /** Brings it about; answers what is to be told once, such as a token, or nothing. */
  make(): Promise<string | undefined>;
  remove?(): Promise<void>;
}

/** One thing as it was found, and what was done about it. */
export interface StepReport {
  readonly id: string;
  readonly state: Look["state"] | "made";
  readonly what: string;
  readonly told?: string;
}

/** Looks at each, and makes what is missing or differs where `apply` is set. Stops at the first that fails. */
export async function runSteps(
  steps: readonly Step[],
  { apply, progress }: { readonly apply: boolean; readonly progress: (line: string) => void },
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  for (const [index, step] of steps.entries()) {
    progress(`[${index + 1}/${steps.length}] ${step.id}`);
    const look = await step.look();
    const what = look.state === "ready" ? "" : look.what;
    if (!apply || look.state === "ready" || look.state === "wrong") {
      reports.push({ id: step.id, state: look.state, what });
      continue;
    }
    const told = await step.make();
    reports.push({ id: step.id, state: "made", what, ...(told === undefined ? {} : { told }) });
  }
  return reports;
}
