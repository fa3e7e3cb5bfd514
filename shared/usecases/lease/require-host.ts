// Whether the instance of a lease is still where the lease is for.
import { parseObservedCidr } from "../../domain/cidr.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { fail } from "../../errors/app-error.ts";
import type { App } from "../app.ts";

/** An address may be another host's once the instance has gone. Asks the cloud where the lease is for one. Throws INSTANCE_UNKNOWN, LEASE_HOST_MOVED. */
export async function requireHost(app: App, { request }: Lease): Promise<void> {
  const { instanceId: instance, group, specs } = request;
  if (instance === null) return;
  const own = await app.inventory.instance(group.region, instance, "open");
  if (!own) throw fail("INSTANCE_UNKNOWN", { instance, region: group.region });
  const addresses = own.flatMap(({ address, ipv6 }) => [address, ...ipv6]).flatMap((it) => parseObservedCidr(it) ?? []);
  const isThere = specs.every(
    ({ dest }) => dest === null || addresses.some((it) => it.family === dest.family && it.first === dest.first),
  );
  if (!isThere || !own.some(({ groupIds }) => groupIds.includes(group.groupId)))
    throw fail("LEASE_HOST_MOVED", { instance, group: request.groupName });
}
