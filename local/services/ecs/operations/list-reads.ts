// Which lists there are, what is in them and which groups name them, for either kind.
import { listOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import { associationsOf, type ListKind } from "../lists.ts";
import type { EcsList } from "../model.ts";
import { type Operation, requireRegion } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { hasTags, tagSet } from "../tags.ts";
import { requireList } from "./list-writes.ts";

const bounds = { min: 1, max: 100, fallback: 10, outOfBounds: "InvalidParameter" } as const;
const idsMax = 100;

const headOf = (list: EcsList, of: ListKind): Record<string, unknown> => ({
  [of.idName]: list.listId,
  [of.nameName]: list.name,
  Description: list.description,
  MaxEntries: list.maxEntries,
  CreationTime: list.creationTime,
  ...(list.kind === "prefix" ? { AddressFamily: list.addressFamily } : {}),
});

/** Prefix lists answer `Names.Name[]`, port lists `Names[]`. */
const wrapped = (of: ListKind, plural: string, singular: string, items: readonly unknown[]) => ({
  [plural]: of.kind === "prefix" ? { [singular]: items } : items,
});

/** The lists of a region, filtered, in pages. */
export const describeLists = (of: ListKind): Operation => ({
  run: (context) => {
    const { params, view } = context;
    const regionId = requireRegion(context);
    const ids = listOf(params, of.idName);
    if (ids.length > idsMax) throw refusal(of.tooManyIds);
    const found = view
      .lists()
      .filter((list) => list.kind === of.kind && list.regionId === regionId)
      .filter((list) => ids.length === 0 || ids.includes(list.listId))
      .filter((list) => params[of.nameName] === undefined || list.name === params[of.nameName])
      .filter((list) => params.AddressFamily === undefined || list.addressFamily === params.AddressFamily)
      .filter((list) => hasTags(list.tags, params));
    const page = pageOf(found, params, `${of.idPrefix} ${regionId}`, bounds);
    const groups = view.groups();
    const items = page.items.map((list) => ({
      ...headOf(list, of),
      AssociationCount: associationsOf(groups, list.listId).length,
      ResourceGroupId: "",
      Tags: of.kind === "prefix" ? tagSet(list.tags) : tagSet(list.tags).Tag,
    }));
    const plural = of.kind === "prefix" ? "PrefixLists" : "PortRangeLists";
    return { NextToken: page.nextToken, ...wrapped(of, plural, "PrefixList", items) };
  },
});

/** One list with its entries. */
export const describeListEntries = (of: ListKind): Operation => ({
  run: (context) => {
    const list = requireList(context, context.view.lists(), of);
    const entries = list.entries.map(({ value, description }) => ({ [of.valueName]: value, Description: description }));
    return { ...(of.kind === "prefix" ? headOf(list, of) : {}), ...wrapped(of, "Entries", "Entry", entries) };
  },
});

/** The groups whose rules name one list, in pages. */
export const describeListAssociations = (of: ListKind): Operation => ({
  run: (context) => {
    const { params, view } = context;
    const { listId } = requireList(context, view.lists(), of);
    const page = pageOf(associationsOf(view.groups(), listId), params, `of ${listId}`, bounds);
    const ResourceType = of.kind === "prefix" ? "securitygroup" : "SecurityGroup";
    const items = page.items.map((ResourceId) => ({ ResourceId, ResourceType }));
    const plural = of.kind === "prefix" ? "PrefixListAssociations" : "PortRangeListAssociations";
    return { NextToken: page.nextToken, ...wrapped(of, plural, "PrefixListAssociation", items) };
  },
});
