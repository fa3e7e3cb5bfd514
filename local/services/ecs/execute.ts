// One operation from parameters to committed effect, with the semantics of ClientToken around it.
import { createHash } from "node:crypto";
import type { Random } from "../../../shared/ports/random.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { refusal } from "./errors.ts";
import type { EcsLimits } from "./limits.ts";
import type { Operation, OperationContext } from "./operation.ts";
import type { EcsToken } from "./persistence.ts";
import type { AccountSeed } from "./seed.ts";
import type { EcsDraft, EcsState } from "./state.ts";
import type { EcsSwitches } from "./switches.ts";

/** What an execution needs beside the call. */
export interface Execution {
  readonly operation: Operation;
  readonly name: string;
  readonly params: RpcParameters;
  readonly state: EcsState;
  readonly account: AccountSeed;
  readonly switches: EcsSwitches;
  readonly limits: EcsLimits;
  readonly random: Random;
  readonly assistant: OperationContext["assistant"];
  readonly now: number;
  readonly callsOf: OperationContext["callsOf"];
  /** Tokens whose first call is still running. */
  readonly running: Set<string>;
  /** Extra lag of reads, from a fault. */
  readonly staleMs: number;
}

type Body = Record<string, unknown>;

const digestOf = (name: string, params: RpcParameters): string => {
  const pairs = Object.entries(params).filter(([parameter]) => parameter !== "ClientToken");
  return createHash("sha256")
    .update(JSON.stringify([name, ...pairs.sort()]))
    .digest("hex");
};

const recall = (draft: EcsDraft, key: string, digest: string, execution: Execution): EcsToken | undefined => {
  const known = draft.token(key);
  if (known === undefined) return undefined;
  const isOver = execution.now - known.at > execution.limits.clientTokenMs;
  if (isOver || (known.refusal !== undefined && execution.switches.refusedClientToken === "evaluated")) {
    draft.dropToken(key);
    return undefined;
  }
  if (known.digest !== digest) throw refusal("IdempotentParameterMismatch");
  return known;
};

const attempt = (draft: EcsDraft, execution: Execution): Body => {
  const { state, switches, staleMs, operation } = execution;
  const view = state.viewAgo(Math.max(staleMs, switches.readAfterWriteMs));
  return operation.run({ ...execution, view, draft });
};

/** By what a token is known: itself and its API, or the API that used it first. */
const keyOf = (token: string, { name, running, state, switches }: Execution): string => {
  const own = `${name} ${token}`;
  const first = [...running].find((key) => key.endsWith(` ${token}`)) ?? state.firstKeyOf(token) ?? own;
  return first === own || switches.clientTokenScope === "api" ? own : first;
};

/** While the first call of a token runs, the second is told so. */
const withToken = async (token: string, execution: Execution): Promise<Body> => {
  if (!/^[\x21-\x7e]{1,64}$/.test(token)) throw refusal("InvalidClientToken.Malformed");
  const { running } = execution;
  const key = keyOf(token, execution);
  if (running.has(key)) throw refusal("IdempotentProcessing");
  running.add(key);
  try {
    return await once(key, execution);
  } finally {
    running.delete(key);
  }
};

const once = async (key: string, execution: Execution): Promise<Body> => {
  const { state, now } = execution;
  const digest = digestOf(execution.name, execution.params);
  const { draft, commit } = state.begin();
  const known = recall(draft, key, digest, execution);
  if (known?.refusal !== undefined) throw new RpcError(known.refusal);
  if (known?.body !== undefined) return known.body;
  for (const old of state.tokensBefore(now - execution.limits.clientTokenMs)) draft.dropToken(old);
  try {
    const body = attempt(draft, execution);
    draft.putToken({ key, digest, at: now, body });
    await commit();
    return body;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const target = error.keepsEffect ? { draft, commit } : state.begin();
    const { status, code, message } = error;
    target.draft.putToken({ key, digest, at: now, refusal: { status, code, message } });
    await target.commit();
    throw error;
  }
};

/**
 * Runs the operation to its committed end and answers its body. A refusal leaves nothing behind, unless it says that it
 * keeps its effect. Nothing else runs between the first look at the state and the commit.
 */
export const execute = async (execution: Execution): Promise<Body> => {
  const token = execution.params.ClientToken;
  if (execution.operation.takesClientToken && token !== undefined && token !== "") return withToken(token, execution);
  const { draft, commit } = execution.state.begin();
  try {
    const body = attempt(draft, execution);
    await commit();
    return body;
  } catch (error) {
    if (error instanceof RpcError && error.keepsEffect) await commit();
    throw error;
  }
};
