// Text that somebody typed, as one line that cannot pass for anything else.

/**
 * One line of plain text: what breaks lines, hides or turns around text becomes a space, runs of spaces one, and what is longer than
 * `max` characters is cut.
 */
export function oneLine(text: string, max = 200): string {
  const plain = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
  const characters = [...plain];
  return characters.length <= max ? plain : `${characters.slice(0, max - 1).join("")}…`;
}
