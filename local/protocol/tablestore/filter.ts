// Reads the serialized filters that conditions and reads carry into one tree.

import { decodeMessage, type Messages } from "./messages.ts";
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
  return build(decode("Filter", bytes, "filter"), budget, 0);
}

function decode<Name extends keyof Messages>(name: Name, bytes: Uint8Array, what: string): Messages[Name] {
  try {
    return decodeMessage(name, bytes);
  } catch {
    throw new Error(`Deserialize ${what} failed.`);
  }
}

function build(filter: { type: number; filter: Uint8Array }, budget: { left: number }, depth: number): FilterTree {
  if (depth > 2 * filterConditionsMax) throw new Error("The filter is nested too deeply.");
  switch (filter.type) {
    case 1: {
      const single = decode("SingleColumnValueFilter", filter.filter, "relation filter");
      budget.left -= 1;
      if (budget.left < 0) throw new Error(`The count of filter exceeds the max: ${filterConditionsMax}.`);
      if (single.comparator < 1 || single.comparator > 6)
        throw new Error(`Invalid relation operator: ${single.comparator}.`);
      const value = readBareVariant(single.column_value);
      if (value === undefined || isPlaceholder(value)) throw new Error("Deserialize relation filter failed.");
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
      const composite = decode("CompositeColumnValueFilter", filter.filter, "composite filter");
      const kind = combinators[composite.combinator];
      if (kind === undefined || kind === "") throw new Error("Deserialize composite filter failed.");
      const count = composite.sub_filters.length;
      if (kind === "not" && count !== 1) {
        throw new Error("Invalid NOT operator: the number of sub-filters must be 1.");
      }
      // SDKs of every language let their callers give more than the two that the documents speak of.
      if (kind !== "not" && count < 2) {
        throw new Error("Invalid AND/OR operator: the number of sub-filters must be 2.");
      }
      return { kind, children: composite.sub_filters.map((child) => build(child, budget, depth + 1)) };
    }
    case 3: {
      const page = decode("ColumnPaginationFilter", filter.filter, "column pagination filter");
      if (page.offset < 0) throw new Error("Offset in ColumnPaginationFilter must be greater than or equal to 0.");
      if (page.limit <= 0) throw new Error("Limit in ColumnPaginationFilter must be greater than 0.");
      return { kind: "page", offset: page.offset, limit: page.limit };
    }
    default:
      throw new Error(`Invalid type of filter: ${filter.type}.`);
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
