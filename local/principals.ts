// Who may call the cloud: the seeded users, and whoever was added to play other people, roles and services.

import type { Random } from "../shared/ports/random.ts";
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
  /** Where its calls come from: an address, or the host of a product. Absent: from where they come. */
  readonly address?: string;
}

/** Every key of one account. */
export class Principals {
  readonly #account: AccountSeed;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #byKey = new Map<string, Principal>();

  constructor(account: AccountSeed, random: Random, now: () => number) {
    this.#account = account;
    this.#random = random;
    this.#now = now;
    for (const user of account.users) {
      const isSession = user.accessKeyId.startsWith("STS.");
      this.#put({ ...user, kind: isSession ? "role" : "user", since: now(), ...(isSession ? tokenOf(user) : {}) });
    }
  }

  /** A key for somebody new. */
  add(spec: PrincipalSpec): Principal {
    const isSession = spec.kind === "role" || spec.kind === "service";
    const own = { accessKeyId: this.#newKeyId(isSession), principalId: this.#newId(spec) };
    const address = spec.address ?? (spec.kind === "service" ? `${spec.name}.aliyuncs.com` : undefined);
    return this.#put({
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
  }

  find(accessKeyId: string): Principal | undefined {
    return this.#byKey.get(accessKeyId);
  }

  /** Secret of a key, for checking a signature. */
  secretOf(accessKeyId: string): string | undefined {
    return this.find(accessKeyId)?.accessKeySecret;
  }

  /** Name behind a key; empty when nobody is. */
  nameOf(accessKeyId: string): string {
    return this.find(accessKeyId)?.name ?? "";
  }

  #put(principal: Principal): Principal {
    this.#byKey.set(principal.accessKeyId, principal);
    return principal;
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

function tokenOf({ principalId }: { readonly principalId: string }): { readonly securityToken: string } {
  return { securityToken: `CAIS${principalId}` };
}
