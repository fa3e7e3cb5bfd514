// VPC for the tests: flow logs of their own, of a resource that is given to them for it.
import { needed } from "../real-account.ts";
import { aTarget, type Body, type Query, type RpcService, type RpcTarget } from "../rpc/target.ts";
import { eniOf } from "./world.ts";

const id = /^FlowLogId$/;
const vpc: RpcService = {
  name: "vpc",
  version: "2016-04-28",
  hostIn: (regionId) => `vpc.${regionId}.aliyuncs.com`,
  makes: {
    CreateFlowLog: (_query, { FlowLogId }) => ({
      name: String(FlowLogId),
      removal: { action: "DeleteFlowLog", query: { FlowLogId: String(FlowLogId) } },
    }),
  },
  changes: { ActiveFlowLog: id, DeactiveFlowLog: id, DeleteFlowLog: id },
};

/** VPC with words for what most tests need first. */
export interface VpcTarget extends RpcTarget {
  /** Parameters of a flow log that is the test's own. */
  ofOwn(more?: Query): Query;
  /** Makes it; answers its id as a parameter. */
  make(more?: Query): Promise<{ readonly FlowLogId: string }>;
  /** What DescribeFlowLogs tells of the test's own. */
  own(query?: Query): Promise<readonly Body[]>;
  /** `own` until its state is this. */
  inState(status: string): Promise<void>;
}

/** The account, for one test. */
export async function aVpc(): Promise<VpcTarget> {
  const target = await aTarget(vpc);
  const real = (name: string) => needed("VPC", `ALIBABA_CLOUD_FLOW_LOG_${name}`);
  const where =
    process.env["VPC_CONFORMANCE"] === "real"
      ? { ResourceId: real("ENI"), ProjectName: real("PROJECT"), LogStoreName: real("STORE") }
      : { ResourceId: eniOf(target.cloud, "web-1"), ProjectName: "net", LogStoreName: "flow" };
  const ofOwn = (more: Query = {}): Query => ({
    ...{ FlowLogName: target.tag, ResourceType: "NetworkInterface", TrafficType: "All", ...where, ...more },
  });
  const own = async (query: Query = {}): Promise<readonly Body[]> =>
    listOf(await target.call("DescribeFlowLogs", { FlowLogName: target.tag, ...query }));
  const wait = async (): Promise<void> => {
    if (process.env["VPC_CONFORMANCE"] === "real") await new Promise((resolve) => setTimeout(resolve, 2_000));
    else await target.cloud.advance(1_000);
  };
  return {
    ...{ tag: target.tag, regionId: target.regionId, call: target.call, raw: target.raw, ofOwn, own },
    get cloud() {
      return target.cloud;
    },
    make: async (more) => ({ FlowLogId: String((await target.call("CreateFlowLog", ofOwn(more)))["FlowLogId"]) }),
    inState: async (status) => {
      for (let tries = 0; tries < 30; tries += 1) {
        if ((await own())[0]?.["Status"] === status) return;
        await wait();
      }
      throw new Error(`The flow log does not become ${status}.`);
    },
  };
}

/** The flow logs of an answer. */
export const listOf = (body: Readonly<Record<string, unknown>>): readonly Body[] =>
  (body["FlowLogs"] as { readonly FlowLog: Body[] }).FlowLog;
