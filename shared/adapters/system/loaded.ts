/** Loads once, for all who ask. What failed is loaded again by the next: a warm process must not go without it for the rest of its life. */
export function loaded<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let made: Promise<Part> | undefined;
  return () => {
    if (made !== undefined) return made;
    const making = load();
    made = making;
    making.catch(() => {
      made = undefined;
    });
    return making;
  };
}
