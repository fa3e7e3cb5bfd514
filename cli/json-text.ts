// JSON that somebody else has written: whoever reads it says what is wrong with it.

/** What a text says; null where it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
