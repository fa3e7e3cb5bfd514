// Prefix lists as their tests speak of them, through the official SDK.
import * as sdk from "@alicloud/ecs20140526";
import { type Client, regionId } from "./world.ts";

/** An entry of a new list. */
export const entry = (cidr: string, description = "") =>
  new sdk.CreatePrefixListRequestEntry({ cidr, ...(description === "" ? {} : { description }) });

/** Makes a list of three entries at most, with two of them; answers its id. */
export const create = async (client: Client, more: Partial<sdk.CreatePrefixListRequest> = {}) => {
  const request = new sdk.CreatePrefixListRequest({
    regionId,
    prefixListName: "office",
    addressFamily: "IPv4",
    maxEntries: 3,
    entry: [entry("203.0.113.0/28", "the office"), entry("198.51.100.7")],
    ...more,
  });
  return (await client.createPrefixList(request)).body?.prefixListId ?? "";
};
/** Changes a list. */
export const modify = (client: Client, prefixListId: string, more: Partial<sdk.ModifyPrefixListRequest>) =>
  client.modifyPrefixList(new sdk.ModifyPrefixListRequest({ regionId, prefixListId, ...more }));
/** Deletes a list. */
export const remove = (client: Client, prefixListId: string) =>
  client.deletePrefixList(new sdk.DeletePrefixListRequest({ regionId, prefixListId }));
/** A list with its entries. */
export const read = async (client: Client, prefixListId: string) =>
  (await client.describePrefixListAttributes(new sdk.DescribePrefixListAttributesRequest({ regionId, prefixListId })))
    .body;
/** The lists of the region. */
export const list = async (client: Client, more: Partial<sdk.DescribePrefixListsRequest> = {}) =>
  (await client.describePrefixLists(new sdk.DescribePrefixListsRequest({ regionId, ...more }))).body;
/** The groups whose rules name a list. */
export const associations = async (client: Client, prefixListId: string) =>
  (
    await client.describePrefixListAssociations(
      new sdk.DescribePrefixListAssociationsRequest({ regionId, prefixListId }),
    )
  ).body?.prefixListAssociations?.prefixListAssociation ?? [];

/** An entry to add. */
export const add = (cidr: string, description = "") =>
  new sdk.ModifyPrefixListRequestAddEntry({ cidr, ...(description === "" ? {} : { description }) });
/** An entry to remove. */
export const drop = (cidr: string) => new sdk.ModifyPrefixListRequestRemoveEntry({ cidr });
