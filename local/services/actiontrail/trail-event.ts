// What ActionTrail says of one call.

import type { Random } from "../../../shared/ports/random.ts";
import type { Principal } from "../../principals.ts";
import { newEventId, type Told, utcSeconds } from "../eventbridge/cloud-event.ts";
import { referencedResources, toldParameters } from "./request-parameters.ts";
import type { TrailSwitches } from "./switches.ts";
import { userIdentityOf } from "./user-identity.ts";

/** A call to a service, as far as an event tells of it. */
export interface TrailCall {
  readonly operation: string;
  readonly accessKeyId: string;
  /** 0 when the call was lost on its way. */
  readonly status: number;
  /** The refusal, when there was one. */
  readonly code?: string;
  readonly message?: string;
  /** When the call arrived, milliseconds since the epoch. */
  readonly at: number;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** The body that was answered. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly clientAddress?: string;
  readonly userAgent?: string;
  readonly fault?: string;
}

/** What is the same for all calls. */
export interface TrailWorld {
  readonly random: Random;
  readonly accountId: string;
  readonly regionId: string;
  readonly switches: TrailSwitches;
}

/** What is told of a call: its data are those of ActionTrail. */
export interface TrailTold extends Told {
  readonly data: Readonly<Record<string, unknown>>;
}

/** The event of a call by somebody. */
export function trailEvent(world: TrailWorld, call: TrailCall, principal: Principal): TrailTold {
  const { accountId, switches, random } = world;
  const regionId = call.params["RegionId"] ?? world.regionId;
  const resources = referencedResources(call.params, call.answer);
  const pairs = Object.entries(resources).flatMap(([type, ids]) => ids.map((id) => [type, id] as const));
  const [firstType = "", firstId = ""] = pairs[0] ?? [];
  const parameters = toldParameters(call.params, switches);
  const eventType = principal.kind === "service" ? switches.eventServiceType : "ApiCall";
  const data = {
    eventId: newEventId(random),
    eventVersion: 1,
    eventName: call.operation,
    eventType,
    eventRW: "Write",
    eventCategory: "Management",
    eventSource: switches.eventSourceHost === "regional" ? `ecs.${regionId}.aliyuncs.com` : "ecs.aliyuncs.com",
    serviceName: "Ecs",
    apiVersion: "2014-05-26",
    eventTime: utcSeconds(call.at),
    acsRegion: regionId,
    isGlobal: false,
    requestId: call.requestId,
    recipientAccountId: accountId,
    sourceIpAddress: principal.address ?? call.clientAddress ?? "127.0.0.1",
    userAgent: principal.kind === "service" ? principal.address : (call.userAgent ?? ""),
    userIdentity: userIdentityOf(principal, accountId, switches),
    requestParameters: parameters,
    requestParameterJson: switches.eventParameterJson === "text" ? JSON.stringify(parameters) : parameters,
    ...(call.answer === undefined || switches.eventResponse === "absent" ? {} : { responseElements: call.answer }),
    ...(pairs.length === 0 || switches.eventGroupIn === "parameters"
      ? {}
      : {
          referencedResources: resources,
          resourceType: pairs.map(([type]) => type).join(";"),
          resourceName: pairs.map(([, id]) => id).join(";"),
        }),
    ...(call.code === undefined ? {} : { errorCode: call.code, errorMessage: call.message ?? call.code }),
  };
  const kind = firstType.split("::")[2]?.toLowerCase();
  return {
    source: "acs.ecs",
    type: `ecs:ActionTrail:${eventType}`,
    subject: `acs:ecs:${regionId}:${accountId}:${kind === undefined ? "" : `${kind}/${firstId}`}`,
    at: call.at,
    data,
  };
}
