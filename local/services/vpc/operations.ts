// The operations of VPC that are served, from parameters to the body of the answer.

import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { describeFlowLog, type FlowLog, parseFlowLog, refuse, required, statusOf } from "./flow-log.ts";
import type { FlowLogs } from "./flow-logs.ts";

/** What an operation works on. */
export interface VpcContext {
  readonly params: RpcParameters;
  readonly now: number;
  readonly flowLogs: FlowLogs;
  readonly regions: readonly string[];
  readonly vpcId: string;
  readonly vSwitchId: string;
  readonly hasEni: (eniId: string) => boolean;
  readonly flowLogsMax: number;
}

type Body = Record<string, unknown>;
type Run = (context: VpcContext) => Body | Promise<Body>;

/** By the name in `x-acs-action`. */
export const operations: ReadonlyMap<string, Run> = new Map<string, Run>([
  ["CreateFlowLog", createFlowLog],
  ["DescribeFlowLogs", describeFlowLogs],
  ["ActiveFlowLog", (context: VpcContext) => setActive(context, true)],
  ["DeactiveFlowLog", (context: VpcContext) => setActive(context, false)],
  ["DeleteFlowLog", deleteFlowLog],
]);

const ok = (body: Body = {}): Body => ({ Success: "true", ...body });

function checkRegion({ params, regions }: VpcContext): void {
  if (!regions.includes(required(params, "RegionId")))
    throw refuse("InvalidRegionId.NotFound", "The specified RegionId does not exist.", 404);
}

async function createFlowLog(context: VpcContext): Promise<Body> {
  const { params, flowLogs } = context;
  checkRegion(context);
  const asked = parseFlowLog(params);
  if (!isThere(context, asked)) throw refuse("InvalidResourceId.NotFound", "The specified ResourceId does not exist.");
  // The service's own code for it.
  if (flowLogs.all().some(({ resourceId }) => resourceId === asked.resourceId))
    throw refuse("InvalidResourceId.NotFound", "A flow log already exists for the specified ResourceId.");
  if (flowLogs.all().length >= context.flowLogsMax)
    throw refuse("QuotaExceeded.FlowlogCount", "The number of flow logs exceeds the quota.");
  const { flowLogId } = await flowLogs.create(asked);
  return ok({ FlowLogId: flowLogId, ResourceGroupId: "" });
}

function isThere(
  context: VpcContext,
  { resourceType, resourceId }: Pick<FlowLog, "resourceType" | "resourceId">,
): boolean {
  if (resourceType === "VPC") return resourceId === context.vpcId;
  return resourceType === "VSwitch" ? resourceId === context.vSwitchId : context.hasEni(resourceId);
}

function describeFlowLogs(context: VpcContext): Body {
  const { params, flowLogs, now } = context;
  checkRegion(context);
  const page = wholeOf(params, "PageNumber", 1, 1_000_000);
  const size = wholeOf(params, "PageSize", 20, 50);
  const wanted: ReadonlyArray<readonly [string, (log: FlowLog) => string]> = [
    ["FlowLogId", ({ flowLogId }) => flowLogId],
    ["FlowLogName", ({ name }) => name],
    ["Description", ({ description }) => description],
    ["ResourceType", ({ resourceType }) => resourceType],
    ["ResourceId", ({ resourceId }) => resourceId],
    ["TrafficType", ({ trafficType }) => trafficType],
    ["ProjectName", ({ project }) => project],
    ["LogStoreName", ({ logstore }) => logstore],
    ["Status", (log) => statusOf(log, now)],
    ["RegionId", ({ regionId }) => regionId],
  ];
  const found = flowLogs
    .all()
    .filter((log) => wanted.every(([name, of]) => (params[name] ?? "") === "" || params[name] === of(log)));
  const FlowLog = found
    .slice((page - 1) * size, page * size)
    .map((log) => describeFlowLog(log, flowLogs.deliveryOf(log.flowLogId), now));
  return ok({ PageNumber: page, PageSize: size, TotalCount: found.length, FlowLogs: { FlowLog } });
}

async function setActive(context: VpcContext, isActive: boolean): Promise<Body> {
  checkRegion(context);
  if (!(await context.flowLogs.setActive(required(context.params, "FlowLogId"), isActive))) throw notFound();
  return ok();
}

async function deleteFlowLog(context: VpcContext): Promise<Body> {
  checkRegion(context);
  if (!(await context.flowLogs.delete(required(context.params, "FlowLogId")))) throw notFound();
  return ok();
}

const notFound = () => refuse("InvalidFlowLogId.NotFound", "The specified FlowLogId does not exist.", 404);

function wholeOf(params: RpcParameters, name: string, fallback: number, max: number): number {
  const text = params[name] ?? "";
  const value = text === "" ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw refuse(`Invalid${name}`, `The specified ${name} is not valid.`);
  return value;
}
