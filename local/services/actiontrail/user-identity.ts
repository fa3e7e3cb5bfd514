// Whose call it was, as an event says it.

import type { Principal } from "../../principals.ts";
import { utcSeconds } from "../eventbridge/cloud-event.ts";
import type { TrailSwitches } from "./switches.ts";

/** The field `userIdentity`. A role's session is named after its role, a product by its service-linked role. */
export function userIdentityOf(principal: Principal, accountId: string, switches: TrailSwitches): object {
  const { kind, name, principalId, accessKeyId } = principal;
  if (kind === "root") return { type: "root-account", principalId, accountId, userName: name, accessKeyId };
  if (kind === "user") return { type: "ram-user", principalId, accountId, userName: name, accessKeyId };
  if (kind === "service" && switches.eventServiceIdentity === "system")
    return { type: "system", principalId, accountId, userName: principal.address ?? name };
  const session = principal.session ?? switches.eventFunctionSession;
  return {
    type: "assumed-role",
    principalId: `${principalId}:${session}`,
    accountId,
    userName: `${name}:${session}`,
    accessKeyId,
    sessionContext: { attributes: { creationDate: utcSeconds(principal.since), mfaAuthenticated: "false" } },
  };
}
