// Whom a policy means in the account: a role or a user by name, or whichever of them the cloud gave a number.
import type { Actor } from "./sighting.ts";

/**
 * `role/NAME`, `user/NAME`, or a number alone. A name says of what it is: whoever may make users may call one like a role, and a
 * number is nobody's name, however a user is called.
 */
interface CloudPrincipal {
  readonly kind: "role" | "user" | "id";
  readonly name: string;
}

const TYPED = /^(role|user)\/([^/:\s]{1,128})$/;
const NUMBER = /^\d{1,32}$/;
/** As older policies have it: such as `terraform`. */
const BARE = /^[^/]{1,128}$/;

/** What is named, or null. A bare name is a role's: roles are what is trusted, and users are easily made. */
function parseCloudPrincipal(text: string): CloudPrincipal | null {
  const [, kind, name] = TYPED.exec(text) ?? [];
  if (name !== undefined) return { kind: kind === "user" ? "user" : "role", name };
  if (NUMBER.test(text)) return { kind: "id", name: text };
  return BARE.test(text) ? { kind: "role", name: text } : null;
}

/** Whether it names anybody. */
export const isCloudPrincipal = (text: string): boolean => parseCloudPrincipal(text) !== null;

/** Whether it does not say of what the name is. */
export const isUntyped = (text: string): boolean => BARE.test(text) && !NUMBER.test(text);

/** The one way to write it: whoever is named alike is the same. */
export function cloudPrincipalText(text: string): string {
  const named = parseCloudPrincipal(text);
  return named === null || named.kind === "id" ? text : `${named.kind}/${named.name}`;
}

/** Whether a caller is whom the text names. Of a role the session takes no part: it changes with every run. */
export function isActor(actor: Actor, text: string): boolean {
  const named = parseCloudPrincipal(text);
  if (named === null) return false;
  const isSession = actor.type === "assumed-role";
  const [name = "", id = ""] = isSession
    ? [actor.name.split(":")[0], actor.principalId.split(":")[0]]
    : [actor.name, actor.principalId];
  switch (named.kind) {
    case "role":
      return isSession && name === named.name;
    case "user":
      return actor.type === "ram-user" && name === named.name;
    case "id":
      return id === named.name;
  }
}
