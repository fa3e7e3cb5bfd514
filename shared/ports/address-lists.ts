// Prefix lists that the program keeps for itself: the lists that the standing drops of a lockdown name.
import type { CallPriority } from "./firewall.ts";

export interface OwnList {
  readonly region: string;
  readonly listId: string;
}

/** Every method throws `CloudFailure`. None retries a write, and success of a change proves nothing before a reading. */
export interface AddressLists {
  /** Regions in which a probe has found the lists to work as they have to: in others none is made or filled, and what there is goes. */
  readonly regions: readonly string[];
  /** Id of the list of just that name; null where there is none. */
  find(region: string, name: string, priority: CallPriority): Promise<string | null>;
  /** An empty list with room for so many blocks, for ever; answers its id. */
  create(
    region: string,
    list: { readonly name: string; readonly family: 4 | 6; readonly blocksMax: number },
    token: string,
    priority: CallPriority,
  ): Promise<string>;
  /** The blocks as `formatCidr` writes them; null where the list is gone. */
  read(list: OwnList, priority: CallPriority): Promise<readonly string[] | null>;
  /** At most 200 blocks each. */
  change(
    list: OwnList,
    blocks: { readonly add: readonly string[]; readonly remove: readonly string[] },
    priority: CallPriority,
  ): Promise<void>;
  /** Refused while a rule names the list; a list that is gone is removed already. */
  remove(list: OwnList, priority: CallPriority): Promise<void>;
}
