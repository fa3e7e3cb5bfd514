// The places of a person: the leases that count towards how many one person may have at a time.
import type { LeaseId } from "../domain/ids.ts";
import type { Tables } from "../ports/tables.ts";
import { listColumn, revOf, withKey } from "./row-shape.ts";

/** A person's places as they were read; `rev` is 0 where there is no row. */
export interface Places {
  readonly person: string;
  readonly leases: readonly { readonly leaseId: LeaseId; readonly at: number }[];
  readonly rev: number;
}

export async function readPlaces(tables: Tables, person: string): Promise<Places> {
  const row = await tables.get("place", [person]);
  if (row === null) return { person, leases: [], rev: 0 };
  return { person, ...placesOf(row) };
}

const placesOf = withKey(
  ({ columns }): Omit<Places, "person"> => ({
    leases: listColumn<Places["leases"][number]>(columns["leases"], "place", "objects"),
    rev: revOf(columns, "place"),
  }),
);

/** Stores the places unless somebody has since they were read; true when it did. */
export async function writePlaces(tables: Tables, { person, leases, rev }: Places): Promise<boolean> {
  const columns = { leases: JSON.stringify(leases), rev: rev + 1 };
  const condition =
    rev === 0 ? ({ kind: "absent" } as const) : ({ kind: "equals", column: "rev", value: rev } as const);
  return (await tables.put("place", [person], columns, condition)) === "written";
}
