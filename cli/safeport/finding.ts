// What doctor found of one thing it looked at.

/** `unknown`: it could not be looked at, or proves nothing either way. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warn" | "fail" | "unknown";
  readonly found: string;
  /** What to do; empty where nothing is to be done. */
  readonly remedy: string;
}
