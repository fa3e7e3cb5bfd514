// The program's own prefix lists on ECS. Parameters by their names on the wire, as in ecs-lists.ts.
import { formatCidr, parseObservedCidr } from "../../domain/cidr.ts";
import type { AddressLists, OwnList } from "../../ports/address-lists.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { fields, incomplete, list as items, text, textOrNull } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";

const READ = "DescribePrefixListAttributes";
const GONE = "InvalidPrefixListId.NotFound";

/** `regions`: where a probe has passed. ECS 2014-05-26; a list without entries answers `Entries` empty, or not at all. */
export function ecsAddressLists(rpc: RpcClient, regions: readonly string[]): AddressLists {
  const call = (
    action: string,
    region: string,
    priority: CallPriority,
    parameters: Readonly<Record<string, unknown>>,
    reading = false,
  ) =>
    rpc.call({
      action,
      region,
      priority,
      reading,
      request: () => ({ toMap: () => ({ RegionId: region, ...parameters }) }),
    });

  return {
    regions,
    async find(region, name, priority) {
      const asked = { PrefixListName: name, MaxResults: 100 };
      const answer = await call("DescribePrefixLists", region, priority, asked, true);
      const own = items(answer["PrefixLists"], "PrefixList")
        .map(fields)
        .find((it) => it["PrefixListName"] === name);
      return own ? textOrNull(own["PrefixListId"]) : null;
    },
    async create(region, { name, family, blocksMax }, token, priority) {
      const answer = await call("CreatePrefixList", region, priority, {
        ...{ PrefixListName: name, AddressFamily: `IPv${family}`, MaxEntries: blocksMax, ClientToken: token },
        Description: "safeport: filled in a lockdown, empty otherwise",
      });
      const listId = text(answer["PrefixListId"]);
      if (listId === "") throw incomplete("CreatePrefixList", "the answer has no id");
      return listId;
    },
    async read({ region, listId }, priority) {
      try {
        const answer = await call(READ, region, priority, { PrefixListId: listId }, true);
        return items(answer["Entries"] ?? { Entry: [] }, "Entry").map((entry) => {
          const block = parseObservedCidr(text(fields(entry)["Cidr"]));
          if (block === null) throw incomplete(READ, "a block cannot be read");
          return formatCidr(block);
        });
      } catch (error) {
        if (isGone(error)) return null;
        throw error;
      }
    },
    async change({ region, listId }: OwnList, { add, remove }, priority) {
      await call("ModifyPrefixList", region, priority, {
        PrefixListId: listId,
        ...(add.length > 0 ? { AddEntry: add.map((Cidr) => ({ Cidr })) } : {}),
        ...(remove.length > 0 ? { RemoveEntry: remove.map((Cidr) => ({ Cidr })) } : {}),
      });
    },
    async remove({ region, listId }, priority) {
      try {
        await call("DeletePrefixList", region, priority, { PrefixListId: listId });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

const isGone = (error: unknown): boolean => error instanceof CloudFailure && error.cloudCode === GONE;
