// Port lists as their tests speak of them, through the official SDK.
import * as sdk from "@alicloud/ecs20140526";
import { type Client, regionId, ssh } from "./world.ts";

/** An entry of a new list. */
export const entry = (portRange: string) => new sdk.CreatePortRangeListRequestEntry({ portRange, description: "why" });
/** Makes a list of three entries at most, with two of them; answers its id. */
export const create = async (client: Client, more: Partial<sdk.CreatePortRangeListRequest> = {}) => {
  const request = new sdk.CreatePortRangeListRequest({
    regionId,
    portRangeListName: "web-ports",
    maxEntries: 3,
    entry: [entry("80/80"), entry("8000/8100")],
    ...more,
  });
  return (await client.createPortRangeList(request)).body?.portRangeListId ?? "";
};
/** Changes a list. */
export const modify = (client: Client, portRangeListId: string, more: Partial<sdk.ModifyPortRangeListRequest>) =>
  client.modifyPortRangeList(new sdk.ModifyPortRangeListRequest({ regionId, portRangeListId, ...more }));
/** The entries of a list. */
export const entriesOf = async (client: Client, portRangeListId: string) =>
  (
    await client.describePortRangeListEntries(
      new sdk.DescribePortRangeListEntriesRequest({ regionId, portRangeListId }),
    )
  ).body?.entries;

/** A permission that names a list in place of ports. */
export const by = (portRangeListId: string, changes = {}) =>
  ssh({ portRange: undefined as never, portRangeListId, ...changes });
