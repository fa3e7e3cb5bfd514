// Reads the serialized filters that conditions and reads carry into one tree.

import { decodeMessage } from "./messages.ts";
import { isPlaceholder, Kind, readBareVariant, type Variant } from "./variant.ts";

/** Compares a part of a text, read as another type, in place of the text. */
export interface ValueTransfer {
  readonly pattern: RegExp;
  /** The kind of value the part is read as. */
  readonly kind: number;
}

/** A filter as the service evaluates it. */
export type FilterTree =
  | {
      readonly kind: "column";
      /** 1 to 6: equal, not equal, greater, greater or equal, less, less or equal. */
      readonly comparator: number;
      readonly column: string;
      readonly value: Variant;
      readonly filterIfMissing: boolean;
      readonly latestVersionOnly: boolean;
      readonly transfer: ValueTransfer | undefined;
    }
  | { readonly kind: "not" | "and" | "or"; readonly children: readonly FilterTree[] }
  | { readonly kind: "page"; readonly offset: number; readonly limit: number };

// The most conditions one filter may hold.
const filterConditionsMax = 10;
const regexBytesMax = 256;

const combinators = ["", "not", "and", "or"] as const;

/** Decodes a filter. Throws an Error whose message can be given to the caller. */
export function decodeFilter(bytes: Uint8Array): FilterTree {
  const budget = { left: filterConditionsMax };
  return build(decodeMessage("Filter", bytes), budget, 0);
}

function build(filter: { type: number; filter: Uint8Array }, budget: { left: number }, depth: number): FilterTree {
  if (depth > 2 * filterConditionsMax) throw new Error("The filter is nested too deeply.");
  switch (filter.type) {
    case 1: {
      const single = decodeMessage("SingleColumnValueFilter", filter.filter);
      budget.left -= 1;
      if (budget.left < 0) throw new Error(`The number of conditions in the filter exceeds ${filterConditionsMax}.`);
      if (single.comparator < 1 || single.comparator > 6) throw new Error("Invalid comparator in the filter.");
      const value = readBareVariant(single.column_value);
      if (value === undefined || isPlaceholder(value)) throw new Error("Invalid column value in the filter.");
      return {
        kind: "column",
        comparator: single.comparator,
        column: single.column_name,
        value,
        filterIfMissing: single.filter_if_missing,
        latestVersionOnly: single.latest_version_only,
        transfer: readTransfer(single.value_transfer_rule),
      };
    }
    case 2: {
      const composite = decodeMessage("CompositeColumnValueFilter", filter.filter);
      const kind = combinators[composite.combinator];
      if (kind === undefined || kind === "") throw new Error("Invalid combinator in the filter.");
      const count = composite.sub_filters.length;
      if (kind === "not" ? count !== 1 : count < 2) {
        throw new Error(`Invalid number of sub filters of ${kind.toUpperCase()}: ${count}.`);
      }
      return { kind, children: composite.sub_filters.map((child) => build(child, budget, depth + 1)) };
    }
    case 3: {
      const page = decodeMessage("ColumnPaginationFilter", filter.filter);
      if (page.offset < 0 || page.limit <= 0)
        throw new Error("Invalid offset or limit of the column pagination filter.");
      return { kind: "page", offset: page.offset, limit: page.limit };
    }
    default:
      throw new Error(`Unknown filter type ${filter.type}.`);
  }
}

function readTransfer(rule: { regex: string; cast_type?: number } | undefined): ValueTransfer | undefined {
  if (rule === undefined) return undefined;
  const kind = rule.cast_type ?? Kind.string;
  if (kind !== Kind.integer && kind !== Kind.double && kind !== Kind.string) {
    throw new Error("Invalid cast type of the value transfer rule.");
  }
  if (Buffer.byteLength(rule.regex) > regexBytesMax) {
    throw new Error(`The regex of the value transfer rule exceeds ${regexBytesMax} bytes.`);
  }
  try {
    return { pattern: new RegExp(rule.regex), kind };
  } catch {
    throw new Error("Invalid regex of the value transfer rule.");
  }
}
