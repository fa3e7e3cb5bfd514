// The embedded ECS as other parts of the cloud use it: options, call records, the running service.

import type { Clock } from "../../../shared/ports/clock.ts";
import type { Random } from "../../../shared/ports/random.ts";
import type { HostSession } from "../../dataplane/data-plane.ts";
import type { FaultTable } from "../../faults.ts";
import type { Authorize } from "../../ram.ts";
import type { EcsLimits } from "./limits.ts";
import type { EcsSnapshot } from "./persistence.ts";
import type { AccountSeed, SeedUser } from "./seed.ts";
import type { EcsView, InstanceListener, RulesChangedListener } from "./state.ts";
import type { EcsSwitches } from "./switches.ts";

/** One call as it was made and answered. */
export interface EcsCall {
  readonly service: "ecs";
  readonly operation: string;
  /** Empty when the signature was refused. */
  readonly accessKeyId: string;
  /** Name of the user the key belongs to. */
  readonly principal: string;
  /** The status of the outcome, also when its reply was lost; 0 when the call was lost before it had any. */
  readonly status: number;
  /** When the call arrived, milliseconds since the epoch. */
  readonly at: number;
  /** The refusal, when there was one. */
  readonly code?: string;
  readonly message?: string;
  /** The body of an answer that was none. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Where the connection came from. */
  readonly clientAddress: string;
  readonly userAgent: string;
  readonly regionId?: string;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** The kind of the fault that hit the call. */
  readonly fault?: string;
}

/** Whoever may call. The key of a session counts with its token alone. */
export interface EcsUser extends Pick<SeedUser, "name" | "accessKeySecret"> {
  readonly securityToken?: string;
}

/** How to start the service. */
export interface EcsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: AccountSeed;
  /** Whose key it is; the seed's users when omitted. */
  readonly findUser?: (accessKeyId: string) => EcsUser | undefined;
  /** What callers may do; everything when omitted. */
  readonly authorize?: Authorize;
  /** Where the state is kept; in memory alone when omitted. A kept state wins over the seed. */
  readonly directory?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly switches?: Partial<EcsSwitches>;
  readonly faults?: FaultTable;
  readonly limits?: Partial<EcsLimits>;
  /** Told of every call when its outcome is known, before the answer. */
  readonly onCall?: (call: EcsCall) => void;
}

/** The running service. */
export interface EcsService extends EcsView {
  /** `host:port`, as the SDK's configuration wants it. */
  readonly endpoint: string;
  readonly port: number;
  /** Mutable at run time. */
  readonly switches: EcsSwitches;
  readonly faults: FaultTable;
  /** Called after each durable change of rules, membership or inner policy, before the answer. Answers how to stop. */
  onRulesChanged(listener: RulesChangedListener): () => void;
  /** Called for each state that an instance passes or comes to, before the answer. */
  onInstanceChanged(listener: InstanceListener): void;
  snapshot(): EcsSnapshot;
  /** Says which TCP sessions hosts have, for commands of Cloud Assistant that list or end them. */
  giveSessions(sessionsOf: (instanceId: string) => readonly HostSession[]): void;
  /** Back to the seed, or to another one. Users change with it; switches, faults and limits stay. */
  reset(seed?: AccountSeed): Promise<void>;
  /** Ends connections, pending faults and the store. */
  stop(): Promise<void>;
}
