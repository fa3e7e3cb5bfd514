// Asks all regions for what one of them has.
const ABSENT = Symbol("absent");

/**
 * What the first region answers that has it, and null where none has: no other is waited for. Throws what one of them threw where none has it: nobody
 * knows then.
 */
export async function firstOf<Found>(
  regions: readonly string[],
  ask: (region: string) => Promise<Found | null>,
): Promise<Found | null> {
  const asked = regions.map(async (region): Promise<Found> => {
    const found = await ask(region);
    if (found === null) throw ABSENT;
    return found;
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    const failure = (error as AggregateError).errors.find((it) => it !== ABSENT);
    if (failure !== undefined) throw failure;
    return null;
  }
}
