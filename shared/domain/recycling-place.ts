// Where a run over the unused rules of all groups goes on.

/** What was reached: groups page by page, region by region, and then the items whose group is gone. */
export interface RecyclingPlace {
  /** Null once every group was looked at. */
  readonly region: string | null;
  /** The cloud's own cursor within the region, or the item after which to go on; null for the beginning of either. */
  readonly cursor: string | null;
  /** Groups of the page that were looked at. */
  readonly done: number;
}

/** No region is named so. */
const AFTER_ALL = "-";

/** A place as a text that holds spaces. */
export const placeText = ({ region, cursor, done }: RecyclingPlace): string =>
  `${region ?? AFTER_ALL} ${done} ${cursor ?? ""}`;

/** What `placeText` makes. */
export const PLACE = /^([a-z0-9-]{1,64}) (\d{1,4}) ([\x21-\x7e]{0,1024})$/;

/** The place of such a text; null for the beginning, and for what is none. */
export function placeOf(text: string | null): RecyclingPlace | null {
  const [, region, done, cursor] = PLACE.exec(text ?? "") ?? [];
  if (region === undefined || done === undefined) return null;
  return { region: region === AFTER_ALL ? null : region, cursor: cursor || null, done: Number(done) };
}
