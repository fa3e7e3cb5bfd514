// A list that rules name in place of addresses or ports.

/** A prefix list or port list by its id. */
export interface ListRef {
  readonly region: string;
  readonly kind: "prefix" | "port";
  readonly listId: string;
}
