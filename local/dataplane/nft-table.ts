// The data plane's nftables table as it stands in the kernel: loaded whole once, then changed by differences.

import { loadScript, removeTable } from "./nft-process.ts";
import { changeScript, type TableOptions, type TableText, tableOf, wholeScript } from "./nft-script.ts";
import type { Policies } from "./policy.ts";

/** One table. Calls must not overlap. */
export class NftTable {
  readonly #name: string;
  #standing: TableText | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Puts the policies in force, in one transaction. */
  async load(policies: Policies, options: Omit<TableOptions, "tableName">): Promise<void> {
    const wanted = tableOf(policies, { ...options, tableName: this.#name });
    const change = this.#standing === undefined ? undefined : changeScript(this.#standing, wanted, this.#name);
    if (change === "") return;
    try {
      await loadScript(change ?? wholeScript(wanted, this.#name));
    } catch (error) {
      // Somebody may have touched the table behind our back: what stands is not what we think.
      this.#standing = undefined;
      if (change === undefined) throw error;
      await loadScript(wholeScript(wanted, this.#name));
    }
    this.#standing = wanted;
  }

  /** Takes the table away. */
  async remove(): Promise<void> {
    this.#standing = undefined;
    await removeTable(this.#name);
  }
}
