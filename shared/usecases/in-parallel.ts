// Many pieces of work, some at a time.

/**
 * Runs `work` on all items, at most `limit` at a time. After a failure no more is begun, and it is thrown once what was under way has come
 * to its end: whoever awaits this may let go of what the work needs, a lock above all.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
  limit = 16,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined && failures.length === 0; item = items[next++])
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** The items in order, at most `size` together. */
export function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
