// A page of a list for a caller who sees a part of it: full where there is enough, and its cursor tells of nothing else.

/** Rows of a list and where it goes on; null when there are no more. */
interface Page<Item, Place> {
  readonly items: readonly Item[];
  readonly next: Place | null;
}

/** Rows that are read at a time once some were not for the caller: whoever sees little of a long list has it read in few calls. */
const READ_ON = 500;

/**
 * Reads on until the page is full of what `isSeen` sees, or the list is over. `placeOf` names a row's place. After `readsMax` readings the page
 * is short and goes on where that was: of a list whose places tell nothing.
 */
export async function seenPage<Item, Place>(
  query: { readonly limit: number; readonly after: Place | null; readonly readsMax?: number },
  read: (after: Place | null, limit: number) => Promise<Page<Item, Place>>,
  isSeen: (item: Item) => boolean,
  placeOf: (item: Item) => Place,
): Promise<Page<Item, Place>> {
  const items: Item[] = [];
  let reads = 0;
  for (let { after, limit } = query; ; limit = READ_ON) {
    const page = await read(after, limit);
    reads += 1;
    const seen = page.items.filter(isSeen);
    if (limit === query.limit && items.length === 0 && seen.length === page.items.length) return page;
    items.push(...seen);
    const last = items[query.limit - 1];
    if (last !== undefined) return { items: items.slice(0, query.limit), next: placeOf(last) };
    if (page.next === null || reads === query.readsMax) return { items, next: page.next };
    after = page.next;
  }
}
