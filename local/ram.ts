// Who may do what: the policies of principals, and what was asked of them. A principal without a policy may do everything.

import type { Random } from "../shared/ports/random.ts";
import { type Kept, nothingKept } from "./kept-json.ts";
import type { Principal } from "./principals.ts";
import { hexText } from "./random.ts";

type OneOrMore = string | readonly string[];

/** A policy in the language of RAM. */
export interface PolicyDocument {
  readonly Version: "1";
  readonly Statement: readonly {
    readonly Effect: "Allow" | "Deny";
    /** `ecs:AuthorizeSecurityGroup`, `ecs:*`; upper and lower case alike. */
    readonly Action: OneOrMore;
    /** `acs:ecs:*:*:securitygroup/sg-1`, `*`. */
    readonly Resource: OneOrMore;
  }[];
}

/** What a call needs. Every one of the resources must be allowed. */
export interface Permission {
  readonly action: string;
  readonly resources: readonly string[];
}

/** Why a call is refused. */
export interface Denial {
  readonly action: string;
  readonly resource: string;
  /** What newer answers tell beside code and message. */
  readonly detail: Readonly<Record<string, string>>;
}

/** One action on one kind of resource that somebody has asked for. */
export interface UsedAction {
  readonly principal: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly calls: number;
  readonly denied: number;
}

/** Asks for a permission; undefined when it is given. */
export type Authorize = (accessKeyId: string, permission: Permission) => Denial | undefined;

/** Without anybody to ask, everything is allowed. */
export const allowAll: Authorize = () => undefined;

const PRINCIPAL_TYPES = { user: "SubUser", role: "AssumedRoleUser", service: "AssumedRoleUser", root: "RootUser" };
const FIELDS = ["Effect", "Action", "Resource"];

const listOf = (value: OneOrMore): readonly string[] => (typeof value === "string" ? [value] : value);
const isTexts = (value: unknown): value is OneOrMore =>
  typeof value === "string" ||
  (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string"));

/** Throws a RangeError that names what is not understood; conditions and `Not…` are not. */
export function checkPolicy(document: unknown): PolicyDocument {
  const { Version, Statement } = (document ?? {}) as Record<string, unknown>;
  if (Version !== "1") throw new RangeError('a policy has "Version": "1"');
  if (!Array.isArray(Statement) || Statement.length === 0) throw new RangeError('a policy has a list "Statement"');
  for (const [index, statement] of Statement.entries()) {
    const { Effect, Action, Resource, ...others } = (statement ?? {}) as Record<string, unknown>;
    const unknown = Object.keys(others)[0];
    if (unknown !== undefined)
      throw new RangeError(`Statement[${index}].${unknown} is not evaluated here; use ${FIELDS.join(", ")}`);
    if (Effect !== "Allow" && Effect !== "Deny") throw new RangeError(`Statement[${index}].Effect is Allow or Deny`);
    if (!isTexts(Action)) throw new RangeError(`Statement[${index}].Action is a text or a list of texts`);
    if (!isTexts(Resource)) throw new RangeError(`Statement[${index}].Resource is a text or a list of texts`);
  }
  return document as PolicyDocument;
}

/** Whether a text meets a pattern with `*` for anything and `?` for one character. */
export function meetsWildcard(pattern: string, text: string): boolean {
  const words = pattern.split("*").map((word) => word.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("?", "."));
  return new RegExp(`^${words.join(".*")}$`, "s").test(text);
}

/** What the policies say of one action on one resource: a denial beats every permission, and silence is a denial. */
export function evaluate(
  policies: readonly PolicyDocument[],
  action: string,
  resource: string,
): "Allow" | "ExplicitDeny" | "ImplicitDeny" {
  const matching = policies
    .flatMap(({ Statement }) => Statement)
    .filter(
      ({ Action, Resource }) =>
        listOf(Action).some((pattern) => meetsWildcard(pattern.toLowerCase(), action.toLowerCase())) &&
        listOf(Resource).some((pattern) => meetsWildcard(pattern, resource)),
    );
  if (matching.some(({ Effect }) => Effect === "Deny")) return "ExplicitDeny";
  return matching.length > 0 ? "Allow" : "ImplicitDeny";
}

type Attached = Readonly<Record<string, readonly PolicyDocument[]>>;

/** What it decides by. */
interface RamWorld {
  readonly accountId: string;
  readonly random: Random;
  readonly find: (accessKeyId: string) => Principal | undefined;
  /** The policies by name; absent: they do not outlive the process. */
  readonly kept?: Kept<Attached>;
}

/** The policies of one account. */
export class Ram {
  readonly #world: RamWorld;
  readonly #policies: Kept<Attached>;
  readonly #used = new Map<string, { -readonly [Name in keyof UsedAction]: UsedAction[Name] }>();

  constructor(world: RamWorld) {
    this.#world = world;
    this.#policies = world.kept ?? nothingKept({});
  }

  /** Gives a user or role, by name, these policies in place of earlier ones; with none it may do nothing. Throws a RangeError for a bad one. */
  attach(name: string, documents: readonly PolicyDocument[]): void {
    for (const document of documents) checkPolicy(document);
    this.#policies.keep({ ...this.#policies.value, [name]: documents });
  }

  /** Everything is allowed again. */
  detach(name: string): void {
    const { [name]: _gone, ...left } = this.#policies.value;
    this.#policies.keep(left);
  }

  attached(): Attached {
    return this.#policies.value;
  }

  /** What was asked for since the start or `forget`, by principal and action. */
  used(): readonly UsedAction[] {
    return [...this.#used.values()];
  }

  forget(): void {
    this.#used.clear();
  }

  authorize: Authorize = (accessKeyId, { action, resources }) => {
    const principal = this.#world.find(accessKeyId);
    if (principal === undefined) return undefined; // Its signature is refused.
    const denial = this.#denialOf(principal, action, resources);
    const key = `${principal.name} ${action}`;
    const used = this.#used.get(key) ?? { principal: principal.name, action, resources: [], calls: 0, denied: 0 };
    used.calls += 1;
    if (denial !== undefined) used.denied += 1;
    for (const kind of resources.map(kindOf))
      if (!used.resources.includes(kind)) used.resources = [...used.resources, kind];
    this.#used.set(key, used);
    return denial;
  };

  #denialOf(principal: Principal, action: string, resources: readonly string[]): Denial | undefined {
    const { [principal.name]: policies } = this.#policies.value;
    if (policies === undefined || principal.kind === "root") return undefined;
    for (const resource of resources) {
      const effect = evaluate(policies, action, resource);
      if (effect === "Allow") continue;
      const { accountId, random } = this.#world;
      const { kind, name, principalId, session } = principal;
      return {
        action,
        resource,
        detail: {
          AuthAction: action,
          AuthPrincipalType: PRINCIPAL_TYPES[kind],
          AuthPrincipalOwnerId: accountId,
          AuthPrincipalDisplayName: kind === "user" ? principalId : `${name}:${session ?? ""}`,
          NoPermissionType: effect,
          PolicyType: "AccountLevelIdentityBasedPolicy",
          EncodedDiagnosticMessage: hexText(random, 32),
        },
      };
    }
    return undefined;
  }
}

/** The resource with `*` for its own id, as a policy names it. */
const kindOf = (resource: string): string => resource.replace(/\/[^/]*$/, "/*");
