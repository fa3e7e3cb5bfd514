// The network interfaces of a group with what their other groups say: what the operator path is judged by.
import { parseObservedCidr } from "../../domain/cidr.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { WatchedInterface } from "../../plan/picture.ts";
import type { App } from "../app.ts";
import { readOpenFacts } from "./open-facts.ts";

/** Throws CloudFailure when it cannot be read. */
export async function readInterfaces(app: App, group: GroupRef): Promise<readonly WatchedInterface[]> {
  const { members, siblings } = await readOpenFacts(app, group);
  return members.map((member) => ({
    addresses: [member.address, ...member.ipv6].flatMap((text) => parseObservedCidr(text) ?? []),
    otherRules: member.groupIds.flatMap((id) => siblings.get(id) ?? []),
  }));
}
