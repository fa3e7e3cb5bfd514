// A flow log: whose traffic goes to which logstore. Read from a request, and described.

import { type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { utcSeconds } from "../eventbridge/cloud-event.ts";

/** One flow log, fit for JSON. */
export interface FlowLog {
  readonly flowLogId: string;
  readonly name: string;
  readonly description: string;
  readonly regionId: string;
  readonly resourceType: "NetworkInterface" | "VSwitch" | "VPC";
  readonly resourceId: string;
  readonly trafficType: "All" | "Allow" | "Drop";
  readonly project: string;
  readonly logstore: string;
  readonly windowMs: number;
  readonly ipVersion: "IPv4" | "DualStack";
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** From when it records; null while somebody has stopped it. */
  readonly activeFrom: number | null;
}

/** How the last delivery to the logstore went. */
export type DeliveryState = "SUCCESS" | "FAILED";

const resourceTypes = ["NetworkInterface", "VSwitch", "VPC"] as const;
const trafficTypes = ["All", "Allow", "Drop"] as const;
const ipVersions = ["IPv4", "DualStack"] as const;
const INTERVALS_MIN = ["1", "5", "10"];
const TAGS_MAX = 20;
const MINUTE_MS = 60_000;

/** A refusal with its words. */
export const refuse = (code: string, message: string, status = 400): RpcError =>
  new RpcError({ status, code, message });

/** A mandatory parameter. */
export function required(params: RpcParameters, name: string): string {
  const value = params[name] ?? "";
  if (value === "") throw refuse(`MissingParameter`, `The input parameter ${name} that is mandatory is not supplied.`);
  return value;
}

function oneOf<Value extends string>(params: RpcParameters, name: string, values: readonly Value[]): Value {
  const value = required(params, name);
  const found = values.find((each) => each === value);
  if (found === undefined) throw refuse(`Invalid${name}.Malformed`, `The specified ${name} is not valid.`);
  return found;
}

/** What a CreateFlowLog asks for. */
export function parseFlowLog(
  params: RpcParameters,
): Omit<FlowLog, "flowLogId" | "regionId" | "createdAt" | "activeFrom"> {
  const interval = params["AggregationInterval"] || "10";
  if (!INTERVALS_MIN.includes(interval))
    throw refuse("InvalidAggregationInterval", "The specified AggregationInterval is not valid.");
  const paths = Object.entries(params).filter(([name]) => /^TrafficPath\.\d+$/.test(name));
  if (paths.some(([, path]) => path !== "all"))
    throw refuse("OperationDenied.TrafficPathNotSupport", "The specified TrafficPath is not open to this account.");
  const tags = structuresOf(params, "Tag").map(({ fields }) => ({
    Key: fields["Key"] ?? "",
    Value: fields["Value"] ?? "",
  }));
  if (tags.length > TAGS_MAX) throw refuse("NumberExceed.Tags", "The number of tags exceeds the limit.");
  return {
    name: textOf(params, "FlowLogName", 128),
    description: textOf(params, "Description", 256),
    resourceType: oneOf(params, "ResourceType", resourceTypes),
    resourceId: required(params, "ResourceId"),
    trafficType: oneOf(params, "TrafficType", trafficTypes),
    project: required(params, "ProjectName"),
    logstore: required(params, "LogStoreName"),
    windowMs: Number(interval) * MINUTE_MS,
    ipVersion: params["IpVersion"] ? oneOf(params, "IpVersion", ipVersions) : "IPv4",
    tags,
  };
}

function textOf(params: RpcParameters, name: string, lengthMax: number): string {
  const text = params[name] ?? "";
  if (text.length > lengthMax || /^https?:\/\//.test(text))
    throw refuse(`Invalid${name}`, `The specified ${name} is not valid.`);
  return text;
}

/** `Activating` until it records. */
export function statusOf({ activeFrom }: FlowLog, now: number): "Active" | "Activating" | "Inactive" {
  if (activeFrom === null) return "Inactive";
  return activeFrom <= now ? "Active" : "Activating";
}

/** The flow log as DescribeFlowLogs answers it. */
export function describeFlowLog(log: FlowLog, delivery: DeliveryState, now: number): Record<string, unknown> {
  return {
    FlowLogId: log.flowLogId,
    FlowLogName: log.name,
    Description: log.description,
    RegionId: log.regionId,
    CreationTime: utcSeconds(log.createdAt),
    ResourceType: log.resourceType,
    ResourceId: log.resourceId,
    TrafficType: log.trafficType,
    TrafficPath: { TrafficPathList: ["all"] },
    ProjectName: log.project,
    LogStoreName: log.logstore,
    AggregationInterval: Math.max(1, Math.round(log.windowMs / MINUTE_MS)),
    IpVersion: log.ipVersion,
    Status: statusOf(log, now),
    BusinessStatus: "Normal",
    ServiceType: "sls",
    ResourceGroupId: "",
    FlowLogDeliverStatus: delivery,
    // The service's own spelling.
    FlowLogDeliverErrorMessage: delivery === "FAILED" ? "UnavaliableTarget" : "",
    Tags: { Tag: log.tags },
  };
}
