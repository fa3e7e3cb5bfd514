// What every operation is given, and the look-ups they share.
import type { Random } from "../../../shared/ports/random.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import type { Assistant } from "../assistant/assistant.ts";
import { type EcsErrorCode, refusal } from "./errors.ts";
import type { EcsLimits } from "./limits.ts";
import type { EcsGroup } from "./model.ts";
import type { AccountSeed } from "./seed.ts";
import type { EcsDraft, EcsView } from "./state.ts";
import type { EcsSwitches } from "./switches.ts";

/** One call, from the point of view of the operation. */
export interface OperationContext {
  readonly params: RpcParameters;
  /** What a read sees; lags when the switches or a fault say so. */
  readonly view: EcsView;
  /** Where a write goes. Committed when the operation returns. */
  readonly draft: EcsDraft;
  readonly account: AccountSeed;
  readonly switches: Readonly<EcsSwitches>;
  readonly limits: EcsLimits;
  readonly random: Random;
  /** Cloud Assistant: commands, and the hosts they run on. */
  readonly assistant: Assistant;
  /** How many calls of an API this minute has seen in a region. */
  readonly callsOf: (operation: string, regionId: string) => number;
  /** Milliseconds since the epoch, read once per call. */
  readonly now: number;
}

/** An operation: from the call to the body of the answer, without its RequestId. Throws its refusals. */
export interface Operation {
  /** Whether `ClientToken` is honoured. */
  readonly takesClientToken?: boolean;
  readonly run: (context: OperationContext) => Record<string, unknown>;
}

/** The cloud's instant format: UTC, seconds. */
export const timestamp = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`;

/** All regions of the account. */
export const regionsOf = (account: AccountSeed): readonly string[] => [
  ...new Set([account.regionId, ...(account.regions ?? [])]),
];

/** The region of a call; refuses a missing or unknown one. */
export const requireRegion = ({ params, account }: OperationContext): string => {
  const regionId = params.RegionId ?? "";
  if (regionId === "") throw refusal("MissingParameter.RegionId");
  if (!regionsOf(account).includes(regionId)) throw refusal("InvalidRegionId.NotFound");
  return regionId;
};

/** A mandatory parameter. */
export const requireParameter = (params: RpcParameters, name: string): string => {
  const value = params[name] ?? "";
  if (value === "") throw refusal("MissingParameter", name);
  return value;
};

/** How the id of a group looks. */
export const groupIdForm = /^sg-[0-9A-Za-z-]{1,64}$/;

/** The group of a call, in the call's region. */
export const requireGroup = (
  context: OperationContext,
  groups: readonly EcsGroup[],
  missing: EcsErrorCode = "InvalidSecurityGroupId.NotFound",
): EcsGroup => {
  const regionId = requireRegion(context);
  const groupId = requireParameter(context.params, "SecurityGroupId");
  if (!groupIdForm.test(groupId)) throw refusal("InvalidSecurityGroupId.Malformed");
  const group = groups.find((each) => each.groupId === groupId && each.regionId === regionId);
  if (group === undefined) throw refusal(missing);
  return group;
};

/** The group a write is about; refuses one that a cloud product manages. */
export const requireOwnGroup = (context: OperationContext, missing?: EcsErrorCode): EcsGroup => {
  const group = requireGroup(context, context.draft.groups(), missing);
  if (group.serviceManaged) throw refusal("InvalidOperation.ResourceManagedByCloudProduct", group.groupId);
  return group;
};

/** A JSON list of texts in one parameter, at most `max`. */
export const jsonListOf = (params: RpcParameters, name: string, max: number): readonly string[] | undefined => {
  const text = params[name];
  if (text === undefined || text === "") return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refusal("InvalidParameter", name);
  }
  const isList = (value: unknown): value is string[] =>
    Array.isArray(value) && value.length <= max && value.every((each) => typeof each === "string");
  if (!isList(parsed)) throw refusal("InvalidParameter", name);
  return parsed;
};

/** A new resource id: prefix and 20 letters or digits. */
export const newId = (random: Random, prefix: string): string => {
  const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  const tail = [...random.bytes(18)].map((byte) => alphabet[byte % alphabet.length]).join("");
  return `${prefix}-bp${tail}`;
};
