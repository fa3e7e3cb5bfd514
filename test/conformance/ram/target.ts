// RAM for the tests: roles and policies of their own names.
import { aTarget, type Body, type Query, type RpcService, type RpcTarget } from "../rpc/target.ts";

const ram: RpcService = {
  name: "ram",
  version: "2015-05-01",
  hostIn: () => "ram.aliyuncs.com",
  makes: {
    CreateRole: ({ RoleName = "" }) => ({
      name: RoleName,
      removal: { action: "DeleteRole", query: { RoleName } },
    }),
    CreatePolicy: ({ PolicyName = "" }) => ({
      name: PolicyName,
      removal: { action: "DeletePolicy", query: { PolicyName, CascadingDelete: "true" } },
    }),
    AttachPolicyToRole: ({ PolicyName = "", RoleName = "" }) => ({
      name: `${PolicyName} of ${RoleName}`,
      removal: { action: "DetachPolicyFromRole", query: { PolicyType: "Custom", PolicyName, RoleName } },
    }),
  },
  changes: {
    CreateRole: /^RoleName$/,
    CreatePolicy: /^PolicyName$/,
    AttachPolicyToRole: /^(Role|Policy)Name$/,
    UpdateRole: /^RoleName$/,
    DeleteRole: /^RoleName$/,
    DeletePolicy: /^PolicyName$/,
    CreatePolicyVersion: /^PolicyName$/,
    DetachPolicyFromRole: /^(Role|Policy)Name$/,
  },
};

/** The policy that the tests write. */
export const documentOf = (Action: string): string =>
  JSON.stringify({ Version: "1", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

const trust = JSON.stringify({
  Version: "1",
  Statement: [{ Action: "sts:AssumeRole", Effect: "Allow", Principal: { Service: ["fc.aliyuncs.com"] } }],
});

/** RAM with words for what most tests need first. */
export interface RamTarget extends RpcTarget {
  readonly role: { readonly RoleName: string };
  readonly policy: { readonly PolicyName: string; readonly PolicyType: "Custom" };
  createRole(): Promise<Body>;
  createPolicy(action?: string): Promise<Body>;
  attach(): Promise<Body>;
}

/** The account, for one test. */
export async function aRam(): Promise<RamTarget> {
  const target = await aTarget(ram);
  const role = { RoleName: target.tag };
  const policy = { PolicyName: target.tag, PolicyType: "Custom" } as const;
  const make = (action: string, query: Query) => target.call(action, query);
  return {
    ...{ tag: target.tag, regionId: target.regionId, call: target.call, raw: target.raw },
    get cloud() {
      return target.cloud;
    },
    ...{ role, policy },
    createRole: () => make("CreateRole", { ...role, AssumeRolePolicyDocument: trust, Description: "made by a test" }),
    createPolicy: (action = "ecs:Describe*") => make("CreatePolicy", { ...policy, PolicyDocument: documentOf(action) }),
    attach: () => make("AttachPolicyToRole", { ...role, ...policy }),
  };
}
