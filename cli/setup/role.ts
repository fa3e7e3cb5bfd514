// The role the functions act as, and its policy.
import { isDeepStrictEqual } from "node:util";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import type { CloudCalls } from "./cloud-call.ts";
import { isTrustPolicy, type RamPolicy, trustPolicy } from "./ram-policy.ts";
import type { Step } from "./steps.ts";

/** What is to be there; the policy has the role's name. */
export interface RoleOrder {
  readonly role: string;
  readonly policy: RamPolicy;
}

/** RAM keeps so many versions of a policy; the oldest goes for a new one. */
const ROTATE = "DeleteOldestNonDefaultVersionWhenLimitExceeded";

/** The Tablestore instances that a policy speaks of, which are one installation's alone. */
const instancesIn = (document: unknown): readonly string[] =>
  JSON.stringify(document).match(/acs:ots:[\w:*-]+instance\/[\w-]+/g) ?? [];

/** Role, policy and that the one has the other. */
export function roleSteps({ ask, ram }: CloudCalls, { role, policy }: RoleOrder): readonly Step[] {
  const custom = { PolicyType: "Custom", PolicyName: role };
  const unlessGone = async <Answer>(work: Promise<Answer>): Promise<Answer | null> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof CloudFailure && error.cloudCode?.startsWith("EntityNotExist")) return null;
      throw error;
    }
  };
  const findPolicy = async (): Promise<unknown> => {
    const found = await unlessGone(ask(ram, "GetPolicy", custom));
    const version = found?.["DefaultPolicyVersion"] as { readonly PolicyDocument?: string } | undefined;
    return version?.PolicyDocument === undefined ? null : JSON.parse(version.PolicyDocument);
  };
  const isOthers = async (): Promise<boolean> => {
    const own = instancesIn(policy);
    const found = instancesIn(await findPolicy());
    return found.length > 0 && !found.some((it) => own.includes(it));
  };
  const others = `the policy ${role} is of an installation with another Tablestore instance, which cannot work without it. Set SAFEPORT_ROLE to another name, or delete the policy where that installation is gone.`;
  /** Undefined where the cloud does not tell it, null where there is no role. */
  const findTrust = async (): Promise<string | undefined | null> => {
    const found = await unlessGone(ask(ram, "GetRole", { RoleName: role }));
    const told = found?.["Role"] as { readonly AssumeRolePolicyDocument?: string } | undefined;
    return found === null ? null : told?.AssumeRolePolicyDocument;
  };
  const isAttached = async (): Promise<boolean> => {
    const found = await unlessGone(ask(ram, "ListPoliciesForRole", { RoleName: role }));
    const policies =
      (found?.["Policies"] as { readonly Policy?: readonly { readonly PolicyName: string }[] })?.Policy ?? [];
    return policies.some((it) => it.PolicyName === role);
  };
  return [
    {
      id: `role ${role}`,
      look: async () => {
        const trust = await findTrust();
        if (trust === null) return { state: "missing", what: `make the role ${role} for Function Compute` };
        if (trust === undefined || isTrustPolicy(trust)) return { state: "ready" };
        return { state: "differs", what: `let Function Compute alone act as the role ${role}` };
      },
      async make() {
        const trust = JSON.stringify(trustPolicy);
        const of = { RoleName: role };
        if ((await findTrust()) === null)
          await ask(ram, "CreateRole", { ...of, AssumeRolePolicyDocument: trust, Description: "safeport's functions" });
        else await ask(ram, "UpdateRole", { ...of, NewAssumeRolePolicyDocument: trust });
        return undefined;
      },
      remove: async () => {
        await unlessGone(ask(ram, "DeleteRole", { RoleName: role }));
      },
    },
    {
      id: `policy ${role}`,
      look: async () => {
        const found = await findPolicy();
        if (found === null) return { state: "missing", what: `make the policy ${role}` };
        if (isDeepStrictEqual(found, policy)) return { state: "ready" };
        if (await isOthers()) return { state: "wrong", what: others };
        return { state: "differs", what: `set the policy ${role} to what the switched on features need` };
      },
      async make() {
        const PolicyDocument = JSON.stringify(policy);
        if ((await findPolicy()) === null)
          await ask(ram, "CreatePolicy", { PolicyName: role, PolicyDocument, Description: "safeport's functions" });
        else
          await ask(ram, "CreatePolicyVersion", {
            ...{ PolicyName: role, PolicyDocument },
            SetAsDefault: "true",
            RotateStrategy: ROTATE,
          });
        return undefined;
      },
      remove: async () => {
        // With every version that a change of the features has left: https://help.aliyun.com/document_detail/28718.html
        await unlessGone(ask(ram, "DeletePolicy", { PolicyName: role, CascadingDelete: "true" }));
      },
    },
    {
      id: `policy ${role} of the role`,
      look: async () =>
        (await isAttached()) ? { state: "ready" } : { state: "missing", what: `give the role ${role} its policy` },
      async make() {
        await ask(ram, "AttachPolicyToRole", { ...custom, RoleName: role });
        return undefined;
      },
      remove: async () => {
        if (await isOthers()) throw new Error(others);
        await unlessGone(ask(ram, "DetachPolicyFromRole", { ...custom, RoleName: role }));
      },
    },
  ];
}
