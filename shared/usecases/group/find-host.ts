// Where an instance or an interface is, of all regions.
import type { CallPriority, Member } from "../../ports/firewall.ts";
import type { App } from "../app.ts";
import { firstOf } from "./first-of.ts";

/** A host as its region has it: its interfaces, at least one of them in a group. */
export interface FoundHost {
  readonly region: string;
  readonly members: readonly Member[];
}

/**
 * `host`: the id of an instance, or of an interface. Null where no region has it. Throws CloudFailure where none has it and one could not be
 * asked.
 */
export const findHost = (
  { inventory }: Pick<App, "inventory">,
  regions: readonly string[],
  host: string,
  priority: CallPriority,
): Promise<FoundHost | null> =>
  firstOf(regions, async (region) => {
    const members = host.startsWith("eni-")
      ? await inventory.interfaces(region, [host], priority)
      : await inventory.instance(region, host, priority);
    return members?.some(({ groupIds }) => groupIds.length > 0) ? { region, members } : null;
  });
