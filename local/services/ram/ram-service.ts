// The API of RAM, as much of it as a deployment needs: roles, their policies, and which role has which.

import { fileIn, type Kept, keptIn } from "../../kept-json.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { checkPolicy, type PolicyDocument, type Ram } from "../../ram.ts";
import { type RpcEndpoint, type RpcSurroundings, startRpcEndpoint } from "../../rpc-endpoint.ts";

/** How to start it. */
export interface RamServiceOptions extends RpcSurroundings {
  readonly accountId: string;
  /** Decides what those with a role may do; a role whose policies are attached here may do no more than they say. */
  readonly ram: Ram;
  /** Roles that exist from the start, without any policy: they may do everything until one is attached. */
  readonly roles: readonly string[];
  /** Keeps roles and policies across restarts. */
  readonly directory?: string;
}

interface Policy {
  readonly versions: Map<string, PolicyDocument>;
  standard: string;
}

/** Roles and policies as data. */
interface KeptAccount {
  readonly roles: readonly { readonly name: string; readonly trust: string; readonly policies: readonly string[] }[];
  readonly policies: readonly {
    readonly name: string;
    readonly standard: string;
    readonly versions: readonly (readonly [string, PolicyDocument])[];
  }[];
}

type Body = Record<string, unknown>;

/** Function Compute may act as the roles that exist from the start. */
const OF_FUNCTIONS = JSON.stringify({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } }],
});
/** So many versions of a policy are kept. */
const VERSIONS_MAX = 5;
const NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Starts listening. */
export function startRam({ ram, roles, accountId, ...around }: RamServiceOptions): Promise<RpcEndpoint> {
  const seeded = roles.map((name) => ({ name, trust: OF_FUNCTIONS, policies: [] }));
  const kept = keptIn<KeptAccount>(fileIn(around, "account.json"), { roles: seeded, policies: [] });
  const account = new RamAccount(ram, accountId, kept);
  return startRpcEndpoint(around, {
    service: "ram",
    product: "Ram",
    hostId: "ram.aliyuncs.com",
    version: "2015-05-01",
    resource: `acs:ram:*:${accountId}:*`,
    forbidden: {
      code: "NoPermission",
      message: "You are not authorized to do this action. You should be authorized by RAM.",
    },
    perform: (operation, params) => {
      const answer = account.perform(operation, params);
      if (!/^(Get|List)/.test(operation)) account.keep();
      return answer;
    },
  });
}

const gone = (kind: string, name: string): RpcError =>
  new RpcError({
    status: 404,
    code: `EntityNotExist.${kind}`,
    message: `The ${kind.toLowerCase()} not exists: ${name}`,
  });
const exists = (kind: string, name: string): RpcError =>
  new RpcError({
    status: 409,
    code: `EntityAlreadyExists.${kind}`,
    message: `The ${kind.toLowerCase()} already exists: ${name}`,
  });
const invalid = (name: string, message: string): RpcError =>
  new RpcError({ status: 400, code: `InvalidParameter.${name}`, message });
const conflict = (code: string, message: string): RpcError => new RpcError({ status: 409, code, message });

class RamAccount {
  readonly #ram: Ram;
  readonly #accountId: string;
  /** Names of policies by role. */
  readonly #roles = new Map<string, { trust: string; policies: Set<string> }>();
  readonly #policies = new Map<string, Policy>();
  readonly #kept: Kept<KeptAccount>;

  constructor(ram: Ram, accountId: string, kept: Kept<KeptAccount>) {
    this.#ram = ram;
    this.#accountId = accountId;
    this.#kept = kept;
    const { roles, policies } = kept.value;
    for (const { name, trust, policies: names } of roles) this.#roles.set(name, { trust, policies: new Set(names) });
    for (const { name, standard, versions } of policies)
      this.#policies.set(name, { versions: new Map(versions), standard });
  }

  /** Writes down what a call has changed, before its answer. */
  keep(): void {
    this.#kept.keep({
      roles: [...this.#roles].map(([name, { trust, policies }]) => ({ name, trust, policies: [...policies] })),
      policies: [...this.#policies].map(([name, { standard, versions }]) => ({
        name,
        standard,
        versions: [...versions],
      })),
    });
  }

  perform(operation: string, params: RpcParameters): Body {
    const role = params["RoleName"] ?? "";
    const policy = params["PolicyName"] ?? "";
    switch (operation) {
      case "GetRole":
        return { Role: this.#viewRole(role) };
      case "CreateRole":
        if (!NAME.test(role)) throw invalid("RoleName", "The parameter RoleName is invalid.");
        if (this.#roles.has(role)) throw exists("Role", role);
        this.#roles.set(role, { trust: jsonOf(params, "AssumeRolePolicyDocument"), policies: new Set() });
        return { Role: this.#viewRole(role) };
      case "UpdateRole":
        this.#role(role).trust = jsonOf(params, "NewAssumeRolePolicyDocument");
        return { Role: this.#viewRole(role) };
      case "DeleteRole":
        if (this.#role(role).policies.size > 0)
          throw conflict("DeleteConflict.Role.Policy", "The role has policies attached.");
        this.#roles.delete(role);
        return {};
      case "GetPolicy":
        return this.#viewPolicy(policy);
      case "CreatePolicy":
        if (!NAME.test(policy)) throw invalid("PolicyName", "The parameter PolicyName is invalid.");
        if (this.#policies.has(policy)) throw exists("Policy", policy);
        this.#policies.set(policy, { versions: new Map([["v1", documentOf(params)]]), standard: "v1" });
        return { Policy: { PolicyName: policy, PolicyType: "Custom", DefaultVersion: "v1" } };
      case "CreatePolicyVersion":
        return this.#addVersion(policy, params);
      case "DeletePolicy":
        if ([...this.#roles.values()].some((it) => it.policies.has(policy)))
          throw conflict("DeleteConflict.Policy.Role", "The policy is attached to a role.");
        if (this.#policy(policy).versions.size > 1 && params["CascadingDelete"] !== "true")
          throw conflict("DeleteConflict.Policy.Version", "Delete all versions but the default one first.");
        this.#policies.delete(policy);
        return {};
      case "AttachPolicyToRole":
        this.#policy(policy);
        if (this.#role(role).policies.has(policy)) throw exists("Role.Policy", policy);
        this.#role(role).policies.add(policy);
        this.#enforce();
        return {};
      case "DetachPolicyFromRole":
        if (!this.#role(role).policies.delete(policy)) throw gone("Role.Policy", policy);
        this.#enforce();
        return {};
      case "ListPoliciesForRole":
        return {
          Policies: {
            Policy: [...this.#role(role).policies].map((PolicyName) => ({ PolicyName, PolicyType: "Custom" })),
          },
        };
      default:
        throw new RpcError({ status: 404, code: "InvalidAction.NotFound", message: "There is no such operation." });
    }
  }

  #role(name: string) {
    const found = this.#roles.get(name);
    if (found === undefined) throw gone("Role", name);
    return found;
  }

  #policy(name: string): Policy {
    const found = this.#policies.get(name);
    if (found === undefined) throw gone("Policy", name);
    return found;
  }

  #viewRole(name: string): Body {
    const { trust } = this.#role(name);
    return { RoleName: name, Arn: `acs:ram::${this.#accountId}:role/${name}`, AssumeRolePolicyDocument: trust };
  }

  #viewPolicy(name: string): Body {
    const { standard, versions } = this.#policy(name);
    return {
      Policy: { PolicyName: name, PolicyType: "Custom", DefaultVersion: standard },
      DefaultPolicyVersion: {
        VersionId: standard,
        IsDefaultVersion: true,
        PolicyDocument: JSON.stringify(versions.get(standard)),
      },
    };
  }

  #addVersion(name: string, params: RpcParameters): Body {
    const policy = this.#policy(name);
    const { versions } = policy;
    if (versions.size >= VERSIONS_MAX) {
      const oldest = [...versions.keys()].find((id) => id !== policy.standard);
      if (params["RotateStrategy"] !== "DeleteOldestNonDefaultVersionWhenLimitExceeded" || oldest === undefined)
        throw conflict("LimitExceeded.Policy.Version", "The number of versions has reached the limit.");
      versions.delete(oldest);
    }
    const last = Math.max(...[...versions.keys()].map((id) => Number(id.slice(1))));
    const id = `v${last + 1}`;
    versions.set(id, documentOf(params));
    if (params["SetAsDefault"] === "true") policy.standard = id;
    this.#enforce();
    return { PolicyVersion: { VersionId: id, IsDefaultVersion: policy.standard === id } };
  }

  /** A role that never had a policy keeps what it may do otherwise. */
  #enforce(): void {
    for (const [name, { policies }] of this.#roles) {
      const documents = [...policies].flatMap((it) => {
        const { versions, standard } = this.#policy(it);
        return versions.get(standard) ?? [];
      });
      if (documents.length > 0 || this.#ram.attached()[name] !== undefined) this.#ram.attach(name, documents);
    }
  }
}

function jsonOf(params: RpcParameters, name: string): string {
  const text = params[name] ?? "";
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw invalid(name, `The parameter ${name} is not JSON.`);
  }
}

function documentOf(params: RpcParameters): PolicyDocument {
  try {
    return checkPolicy(JSON.parse(jsonOf(params, "PolicyDocument")));
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw invalid("PolicyDocument", error instanceof Error ? error.message : "The policy is invalid.");
  }
}
