// Where an instance or an interface is, of all regions.
import type { CallPriority, Member } from "../../ports/firewall.ts";
import type { App } from "../app.ts";

/** A host as its region has it: its interfaces, at least one of them in a group. */
export interface FoundHost {
  readonly region: string;
  readonly members: readonly Member[];
}

const ABSENT = Symbol("absent");

/**
 * `host`: the id of an instance, or of an interface. Null where no region has it. The regions are asked side by side, and the first one that has it
 * will do: no other is waited for. Throws CloudFailure where none has it and one could not be asked.
 */
export async function findHost(
  { inventory }: Pick<App, "inventory">,
  regions: readonly string[],
  host: string,
  priority: CallPriority,
): Promise<FoundHost | null> {
  const asked = regions.map(async (region): Promise<FoundHost> => {
    const members = host.startsWith("eni-")
      ? await inventory.interfaces(region, [host], priority)
      : await inventory.instance(region, host, priority);
    if (!members?.some(({ groupIds }) => groupIds.length > 0)) throw ABSENT;
    return { region, members };
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    const failure = (error as AggregateError).errors.find((it) => it !== ABSENT);
    if (failure !== undefined) throw failure;
    return null;
  }
}
