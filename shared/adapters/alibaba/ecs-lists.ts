// Prefix lists and port lists on ECS: which groups name one, and what is in it. Parameters by their names on the wire: the official
// models of these calls would be in every bundle, for a function that seldom makes them.
import { type Cidr, parseObservedCidr } from "../../domain/cidr.ts";
import type { GroupId } from "../../domain/ids.ts";
import type { ListRef } from "../../domain/list-ref.ts";
import { type CallPriority, CloudFailure, type Inventory } from "../../ports/firewall.ts";
import { fields, incomplete, text, textOrNull } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";

const ASSOCIATIONS_PER_PAGE = 100;
/** A list has 1,000 associations at most (limits of ECS); one that has more is not told in full, and that is said. */
const PAGES_MAX = 12;
const PREFIX_ASSOCIATIONS = "DescribePrefixListAssociations";
const PORT_ASSOCIATIONS = "DescribePortRangeListAssociations";
const PREFIXES = "DescribePrefixListAttributes";
const NOT_FOUND = ["InvalidPrefixListId.NotFound", "InvalidPortRangeListId.NotFound"];

/** The part of the inventory that is about lists. */
export function ecsLists(rpc: RpcClient): Pick<Inventory, "groupsNaming" | "prefixes"> {
  function page({ kind, listId, region }: ListRef, nextToken: string | undefined, priority: CallPriority) {
    const action = kind === "prefix" ? PREFIX_ASSOCIATIONS : PORT_ASSOCIATIONS;
    const named = kind === "prefix" ? { PrefixListId: listId } : { PortRangeListId: listId };
    const asked = { RegionId: region, ...named, MaxResults: ASSOCIATIONS_PER_PAGE };
    const request = () => ({ toMap: () => (nextToken === undefined ? asked : { ...asked, NextToken: nextToken }) });
    return rpc.call({ action, region, priority, reading: true, request });
  }

  async function groupsNaming(list: ListRef, priority: CallPriority): Promise<readonly GroupId[]> {
    const action = list.kind === "prefix" ? PREFIX_ASSOCIATIONS : PORT_ASSOCIATIONS;
    const found = new Set<GroupId>();
    let nextToken: string | undefined;
    for (let count = 0; count < PAGES_MAX; count++) {
      const answer = await page(list, nextToken, priority);
      // Port lists answer the items themselves, prefix lists wrap them once more.
      const plural = answer[list.kind === "prefix" ? "PrefixListAssociations" : "PortRangeListAssociations"];
      const items = list.kind === "prefix" ? fields(plural)["PrefixListAssociation"] : plural;
      if (!Array.isArray(items)) throw incomplete(action, "a page has no associations");
      for (const item of items.map(fields)) {
        const isGroup = text(item["ResourceType"]).toLowerCase() === "securitygroup";
        const id = textOrNull(item["ResourceId"]);
        if (isGroup && id !== null) found.add(id as GroupId);
      }
      nextToken = textOrNull(answer["NextToken"]) ?? undefined;
      if (nextToken === undefined) return [...found];
    }
    throw incomplete(action, "the list does not end");
  }

  async function prefixes({ region, listId }: ListRef, priority: CallPriority): Promise<readonly Cidr[]> {
    const request = () => ({ toMap: () => ({ RegionId: region, PrefixListId: listId }) });
    const answer = await rpc.call({ action: PREFIXES, region, priority, reading: true, request });
    const entries = fields(answer["Entries"])["Entry"];
    if (!Array.isArray(entries)) throw incomplete(PREFIXES, "the answer has no Entries.Entry");
    return entries.map((entry) => {
      const block = parseObservedCidr(text(fields(entry)["Cidr"]));
      if (block === null) throw incomplete(PREFIXES, "a block cannot be read");
      return block;
    });
  }

  return {
    groupsNaming: (list, priority) => noneIfGone(groupsNaming(list, priority)),
    prefixes: (list, priority) => noneIfGone(prefixes(list, priority)),
  };
}

async function noneIfGone<Item>(asked: Promise<readonly Item[]>): Promise<readonly Item[]> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CloudFailure && error.cloudCode !== null && NOT_FOUND.includes(error.cloudCode)) return [];
    throw error;
  }
}
