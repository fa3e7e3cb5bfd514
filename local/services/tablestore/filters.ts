// Evaluates filters: on the current row for conditions, on the selected cells for reads.

import type { FilterTree, ValueTransfer } from "../../protocol/tablestore/filter.ts";
import {
  compareVariants,
  doubleVariant,
  integerVariant,
  Kind,
  stringVariant,
  type Variant,
} from "../../protocol/tablestore/variant.ts";
import type { StoredCell } from "./rows.ts";

/** True when the filter accepts a row of these cells. A page filter accepts every row. */
export function matches(filter: FilterTree, cells: readonly StoredCell[]): boolean {
  switch (filter.kind) {
    case "column": {
      const versions = cells.filter((cell) => cell.name === filter.column);
      if (versions.length === 0) return !filter.filterIfMissing;
      const candidates = filter.latestVersionOnly ? versions.slice(0, 1) : versions;
      return candidates.some((cell) => {
        const value = filter.transfer === undefined ? cell.value : transferred(filter.transfer, cell.value);
        return value !== undefined && compare(filter.comparator, value, filter.value);
      });
    }
    case "not":
      return !filter.children.some((child) => matches(child, cells));
    case "and":
      return filter.children.every((child) => matches(child, cells));
    case "or":
      return filter.children.some((child) => matches(child, cells));
    case "page":
      return true;
  }
}

/** True when the filter pages columns anywhere; conditions may not. */
export function hasPage(filter: FilterTree): boolean {
  if (filter.kind === "page") return true;
  return filter.kind !== "column" && filter.children.some(hasPage);
}

/** The cells left of an accepted row: page filters at the top or under AND cut columns, the others cut nothing. */
export function pageColumns(filter: FilterTree, cells: readonly StoredCell[]): readonly StoredCell[] {
  if (filter.kind === "and") return filter.children.reduce((left, child) => pageColumns(child, left), cells);
  if (filter.kind !== "page") return cells;
  let column = -1;
  let name: string | undefined;
  return cells.filter((cell) => {
    if (cell.name !== name) column += 1;
    name = cell.name;
    return column >= filter.offset && column < filter.offset + filter.limit;
  });
}

function compare(comparator: number, left: Variant, right: Variant): boolean {
  const order = compareVariants(left, right);
  if (order === undefined) return false;
  switch (comparator) {
    case 1:
      return order === 0;
    case 2:
      return order !== 0;
    case 3:
      return order > 0;
    case 4:
      return order >= 0;
    case 5:
      return order < 0;
    default:
      return order <= 0;
  }
}

/** The part of a text that the rule picks, the first group or else the whole match; undefined when there is none. */
function transferred({ pattern, kind }: ValueTransfer, value: Variant): Variant | undefined {
  if (value.kind !== Kind.string) return undefined;
  const found = pattern.exec(value.bytes.toString("utf8"));
  const part = found?.[1] ?? found?.[0];
  if (part === undefined || kind === Kind.string) return part === undefined ? undefined : stringVariant(part);
  if (kind === Kind.double) {
    const number = part.trim() === "" ? Number.NaN : Number(part);
    return Number.isNaN(number) ? undefined : doubleVariant(number);
  }
  const whole = /^[+-]?\d{1,19}$/.test(part) ? BigInt(part) : undefined;
  return whole !== undefined && BigInt.asIntN(64, whole) === whole ? integerVariant(whole) : undefined;
}
