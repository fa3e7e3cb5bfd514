// Every write call becomes an event, whoever made it and whether or not it succeeded, some time later.

import type { Random } from "../../../shared/ports/random.ts";
import type { SchedulingClock } from "../../clock.ts";
import { newEventId, type Told, utcSeconds } from "../eventbridge/cloud-event.ts";
import { nestedParameters, referencedResources } from "./request-parameters.ts";
import type { TrailSwitches } from "./switches.ts";

/** A call to a service, as far as an event tells of it. */
export interface TrailCall {
  readonly operation: string;
  readonly accessKeyId: string;
  /** 0 when the call was lost on its way. */
  readonly status: number;
  readonly code?: string;
  readonly at: number;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly fault?: string;
}

/** Whose key it was. */
export interface TrailUser {
  readonly name: string;
  readonly accessKeyId: string;
  readonly principalId: string;
}

/** What the trail needs. */
export interface ActionTrailOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly accountId: string;
  readonly regionId: string;
  readonly switches: TrailSwitches;
  readonly findUser: (accessKeyId: string) => TrailUser | undefined;
  /** The groups that exist now: an event of a creation names what was created. */
  readonly groups: () => ReadonlyArray<{ readonly groupId: string; readonly name: string }>;
  readonly tell: (told: Told) => void;
}

/** Records calls of ECS. */
export interface ActionTrail {
  record(call: TrailCall): void;
  /** Forgets events that are not on the bus yet. */
  clear(): void;
}

const CLIENT_ADDRESS = "127.0.0.1";
const USER_AGENT = "AlibabaCloud (linux; x64) Node.js Core/1.0.1";
/** Nobody publishes the session name that Function Compute gives a role; ours says so little on purpose. */
const roleSessionName = "fc-session";

const isRead = (operation: string): boolean => /^(Describe|List|Get)/.test(operation);

// What a gateway turns away is no call of a service yet.
const neverArrived = ({ accessKeyId, status, code, fault, operation }: TrailCall): boolean =>
  accessKeyId === "" || status === 0 || fault === "html-502" || code === "InvalidAction.NotFound" || operation === "";

/** A trail that tells the bus. */
export function createActionTrail(options: ActionTrailOptions): ActionTrail {
  const { clock, random, switches } = options;
  let generation = 0;
  const known = new Set(options.groups().map((group) => group.groupId));
  const created = (call: TrailCall): string | undefined => {
    const found = options.groups().filter((group) => !known.has(group.groupId));
    const { SecurityGroupName } = call.params;
    const mine = found.find((group) => SecurityGroupName === undefined || group.name === SecurityGroupName) ?? found[0];
    if (mine) known.add(mine.groupId);
    return mine?.groupId;
  };
  return {
    record: (call) => {
      if (isRead(call.operation) || neverArrived(call)) return;
      const createdId = call.operation === "CreateSecurityGroup" && call.code === undefined ? created(call) : undefined;
      const told = eventOf(options, call, createdId);
      const before = generation;
      clock.schedule(switches.eventDelayMs + Math.floor(random.fraction() * switches.eventJitterMs), () => {
        if (before === generation) options.tell(told);
      });
    },
    clear: () => {
      generation += 1;
    },
  };
}

function eventOf(options: ActionTrailOptions, call: TrailCall, createdId: string | undefined): Told {
  const { accountId, switches } = options;
  const regionId = call.params["RegionId"] ?? options.regionId;
  const resources = referencedResources(
    createdId === undefined ? call.params : { ...call.params, SecurityGroupId: createdId },
  );
  const pairs = Object.entries(resources).flatMap(([type, ids]) => ids.map((id) => [type, id] as const));
  const [firstType = "", firstId = ""] = pairs[0] ?? [];
  const parameters = switches.eventParameters === "flat" ? { ...call.params } : nestedParameters(call.params);
  const data = {
    eventId: newEventId(options.random),
    eventVersion: 1,
    eventName: call.operation,
    eventType: "ApiCall",
    eventRW: "Write",
    eventCategory: "Management",
    eventSource: `ecs.${regionId}.aliyuncs.com`,
    serviceName: "Ecs",
    apiVersion: "2014-05-26",
    eventTime: utcSeconds(call.at),
    acsRegion: regionId,
    isGlobal: false,
    requestId: call.requestId,
    recipientAccountId: accountId,
    sourceIpAddress: CLIENT_ADDRESS,
    userAgent: USER_AGENT,
    userIdentity: identityOf(options, call),
    requestParameters: parameters,
    requestParameterJson: switches.eventParameterJson === "text" ? JSON.stringify(parameters) : parameters,
    ...(createdId === undefined ? {} : { responseElements: { RequestId: call.requestId, SecurityGroupId: createdId } }),
    ...(pairs.length === 0
      ? {}
      : {
          referencedResources: resources,
          resourceType: pairs.map(([type]) => type).join(";"),
          resourceName: pairs.map(([, id]) => id).join(";"),
        }),
    ...(call.code === undefined ? {} : { errorCode: call.code, errorMessage: `The call was refused: ${call.code}.` }),
  };
  const kind = firstType.split("::")[2]?.toLowerCase();
  return {
    source: "acs.ecs",
    type: "ecs:ActionTrail:ApiCall",
    subject: `acs:ecs:${regionId}:${accountId}:${kind === undefined ? "" : `${kind}/${firstId}`}`,
    at: call.at,
    data,
  };
}

function identityOf({ findUser, accountId }: ActionTrailOptions, call: TrailCall): object {
  const user = findUser(call.accessKeyId);
  const name = user?.name ?? "";
  const principalId = user?.principalId ?? "";
  const { accessKeyId } = call;
  // Keys of a role are temporary, and say so.
  if (!accessKeyId.startsWith("STS.")) return { type: "ram-user", principalId, accountId, userName: name, accessKeyId };
  return {
    type: "assumed-role",
    principalId: `${principalId}:${roleSessionName}`,
    accountId,
    userName: `${name}:${roleSessionName}`,
    accessKeyId,
    sessionContext: { attributes: { creationDate: utcSeconds(call.at), mfaAuthenticated: "false" } },
  };
}
