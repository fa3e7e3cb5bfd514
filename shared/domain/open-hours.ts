// Open hours: the instants at which weekly windows of a time zone begin and end. Pure.

const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** True for `00:00` to `23:59`, and `24:00` as an end. */
export const isTimeOfDay = (text: string): boolean => TIME.test(text);

/** True for a time zone of the IANA database that this machine knows. */
export function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: text });
    return text !== "";
  } catch {
    return false;
  }
}
