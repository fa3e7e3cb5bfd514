// The form of a group's name and description.

/** Whether a text may be empty or has 2 to `max` characters and does not begin like a URL. */
export const isGroupText = (text: string, max: number): boolean =>
  text === "" || (text.length >= 2 && text.length <= max && !/^https?:\/\//i.test(text));
