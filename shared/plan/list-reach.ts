// What a change of a prefix list or port list means for the rules of a group that name it. Pure.
import { type Cidr, containsCidr, formatCidr, parseCidr } from "../domain/cidr.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { ListRef } from "../domain/list-ref.ts";
import type { RuleSpec } from "../domain/rule.ts";

export interface ListReach {
  /** The entries whose rules name the list. */
  readonly naming: readonly Entry[];
  /** Blocks of the list that are everybody, or that lie outside of what an entry allows; each once, as text. */
  readonly beyond: readonly string[];
}

/**
 * The rule stands as it was granted, and lets through something else. `blocks` are those of a prefix list as it is now; null for a
 * port list, and where they are not known. An entry that names allowed sources is measured by them; everybody is beyond in any case.
 */
export function listReach(entries: readonly Entry[], list: ListRef, blocks: readonly Cidr[] | null): ListReach {
  const naming = entries.filter(({ spec }) => names(spec, list));
  const beyond = naming
    .filter(({ spec }) => spec.policy === "accept")
    .flatMap(({ allocation }) => {
      const allowed = (allocation?.allowedSources ?? []).flatMap((text) => parseCidr(text) ?? []);
      const isAllowed = (block: Cidr): boolean => allowed.some((it) => containsCidr(it, block));
      return (blocks ?? []).filter((block) => (allowed.length > 0 ? !isAllowed(block) : block.prefix === 0));
    });
  return { naming, beyond: [...new Set(beyond.map(formatCidr))] };
}

function names({ peer, ports, sourcePorts }: RuleSpec, { kind, listId }: ListRef): boolean {
  if (kind === "prefix") return peer.kind === "prefixList" && peer.prefixListId === listId;
  return [ports, sourcePorts].some((it) => it.kind === "list" && it.portRangeListId === listId);
}
