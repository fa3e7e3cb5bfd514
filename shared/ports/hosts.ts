// The hosts port: what the agent of Cloud Assistant says of an instance, and does on it.

/** What is known of an instance's agent. */
export interface Agent {
  /** True while its heartbeat is fresh. */
  readonly isOnline: boolean;
  readonly hasSessionManager: boolean;
}

/** What came of a script; `running` while nothing did. */
export type ScriptResult =
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly exitCode: number; readonly output: string }
  /** It was not run, or not to its end. */
  | { readonly kind: "failed"; readonly why: string };

/** Every method throws `CloudFailure`. */
export interface Hosts {
  /** By instance id, at most 50; an instance that never had an agent is absent. */
  agents(region: string, instanceIds: readonly string[]): Promise<ReadonlyMap<string, Agent>>;
  /** Runs a script as root; answers the id of the run. The same token with the same script is the same run. */
  run(region: string, instanceId: string, script: string, token: string): Promise<string>;
  result(region: string, instanceId: string, runId: string): Promise<ScriptResult>;
}
