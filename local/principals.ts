// Who may call the cloud: the seeded users, and whoever was added to play other people, roles and services.

import type { Random } from "../shared/ports/random.ts";
import { type Kept, nothingKept } from "./kept-json.ts";
import { hexText } from "./random.ts";
import type { AccountSeed } from "./services/ecs/seed.ts";

/** Somebody to add. `address` stands in events in place of the connection's. */
export type PrincipalSpec = (
  | { readonly kind: "user"; readonly name: string }
  /** The account itself. */
  | { readonly kind: "root" }
  /** A session of a role, as of a pipeline that applies Terraform. */
  | { readonly kind: "role"; readonly name: string; readonly session: string }
  /** A cloud product that acts by its service-linked role, such as `dms`. */
  | { readonly kind: "service"; readonly name: string }
) & { readonly address?: string };

/** Whose key it is. */
export interface Principal {
  readonly kind: PrincipalSpec["kind"];
  /** Name of the user, the role or the product's role; `root`. */
  readonly name: string;
  /** Of the user, of the role without its session; the account's for `root`. */
  readonly principalId: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Goes with a key of a session. */
  readonly securityToken?: string;
  /** Name of the session. Absent for the role of the functions, whose session is named by a switch. */
  readonly session?: string;
  /** When the session began, milliseconds since the epoch. */
  readonly since: number;
  /** When the key ends; absent: never. */
  readonly until?: number;
  /** Where its calls come from: an address, or the host of a product. Absent: from where they come. */
  readonly address?: string;
}

/** Keys of a session, with their token. */
export interface Session extends Principal {
  readonly securityToken: string;
}

/** Whether a call by a key carries the token that belongs to it. */
export function hasToken(
  principal: { readonly securityToken?: string } | undefined,
  securityToken: string | undefined,
): boolean {
  return principal?.securityToken === undefined || principal.securityToken === securityToken;
}

/** Every key of one account. */
export class Principals {
  readonly #account: AccountSeed;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #byKey = new Map<string, Principal>();
  readonly #sessions = new Map<string, Session>();
  readonly #added: Kept<readonly Principal[]>;

  /** `added` holds whoever was added to the seeded ones. */
  constructor(
    account: AccountSeed,
    random: Random,
    now: () => number,
    added: Kept<readonly Principal[]> = nothingKept([]),
  ) {
    this.#account = account;
    this.#random = random;
    this.#now = now;
    this.#added = added;
    for (const user of account.users) {
      const isSession = user.accessKeyId.startsWith("STS.");
      this.#put({ ...user, kind: isSession ? "role" : "user", since: now(), ...(isSession ? tokenOf(user) : {}) });
    }
    for (const principal of added.value) this.#put(principal);
  }

  /** A key for somebody new. */
  add(spec: PrincipalSpec): Principal {
    const isSession = spec.kind === "role" || spec.kind === "service";
    const own = { accessKeyId: this.#newKeyId(isSession), principalId: this.#newId(spec) };
    const address = spec.address ?? (spec.kind === "service" ? `${spec.name}.aliyuncs.com` : undefined);
    const principal = this.#put({
      ...own,
      kind: spec.kind,
      name: nameOf(spec),
      accessKeySecret: hexText(this.#random, 30),
      since: this.#now(),
      ...(isSession ? tokenOf(own) : {}),
      ...(spec.kind === "role" ? { session: spec.session } : {}),
      ...(spec.kind === "service" ? { session: spec.name } : {}),
      ...(address === undefined ? {} : { address }),
    });
    this.#added.keep([...this.#added.value, principal]);
    return principal;
  }

  /**
   * The present keys of a role's session, as a platform hands them over: the first ones, and new ones once half of their life
   * is over. Throws when nobody has that name.
   */
  sessionOf(name: string, lifeMs: number): Session {
    const now = this.#now();
    const held = this.#sessions.get(name) ?? this.#firstOf(name);
    const isFresh = held.until !== undefined && held.until - lifeMs / 2 > now && held.since <= now;
    if (isFresh) return held;
    const begun = { ...held, since: now, until: now + lifeMs };
    // The first key gets its end with its first use; what follows has a key of its own.
    const next = held.until === undefined ? begun : { ...begun, ...this.#newKey(begun) };
    this.#sessions.set(name, next);
    this.#put(next);
    return next;
  }

  /** Undefined when the key is unknown or has ended. */
  find(accessKeyId: string): Principal | undefined {
    const found = this.#byKey.get(accessKeyId);
    return found?.until !== undefined && found.until <= this.#now() ? undefined : found;
  }

  /** Secret of a key, for checking a signature. The key of a session is known with its token alone. */
  secretOf(accessKeyId: string, securityToken?: string): string | undefined {
    const found = this.find(accessKeyId);
    return hasToken(found, securityToken) ? found?.accessKeySecret : undefined;
  }

  /** Name behind a key; empty when nobody is. */
  nameOf(accessKeyId: string): string {
    return this.find(accessKeyId)?.name ?? "";
  }

  #put<Kind extends Principal>(principal: Kind): Kind {
    this.#byKey.set(principal.accessKeyId, principal);
    return principal;
  }

  #firstOf(name: string): Session {
    const found = [...this.#byKey.values()].find((principal) => principal.kind === "role" && principal.name === name);
    if (found?.securityToken === undefined) throw new Error(`there is no role ${name}`);
    return { ...found, securityToken: found.securityToken };
  }

  #newKey(of: { readonly principalId: string }): Pick<Session, "accessKeyId" | "accessKeySecret" | "securityToken"> {
    const accessKeyId = this.#newKeyId(true);
    return { accessKeyId, accessKeySecret: hexText(this.#random, 30), ...tokenOf({ ...of, accessKeyId }) };
  }

  #newKeyId(isSession: boolean): string {
    return isSession ? `STS.N${hexText(this.#random, 22)}` : `LTAI5t${hexText(this.#random, 18)}`;
  }

  /** Sessions of one role share its id. */
  #newId(spec: PrincipalSpec): string {
    if (spec.kind === "root") return this.#account.accountId;
    const known = [...this.#byKey.values()].find(({ kind, name }) => kind === spec.kind && name === nameOf(spec));
    const digits = Array.from(this.#random.bytes(17), (byte) => byte % 10).join("");
    return known?.principalId ?? `${spec.kind === "user" ? 2 : 3}${digits}`;
  }
}

function nameOf(spec: PrincipalSpec): string {
  if (spec.kind === "root") return "root";
  return spec.kind === "service" ? `AliyunServiceRoleFor${spec.name.toUpperCase()}` : spec.name;
}

function tokenOf(of: { readonly principalId: string; readonly accessKeyId: string }): {
  readonly securityToken: string;
} {
  return { securityToken: `CAIS${of.principalId}${of.accessKeyId.slice(-8)}` };
}
