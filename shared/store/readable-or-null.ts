// Reads what may be damaged where something can be done without it.
import { isUnreadable } from "../errors/app-error.ts";
import type { Log } from "../ports/log.ts";

/** Null where a row cannot be read, which the log says; nothing waits for its repair. */
export async function readableOrNull<Value>(
  { log }: { readonly log: Log },
  read: Promise<Value>,
): Promise<Value | null> {
  try {
    return await read;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    log.write("error", "a row cannot be read; it is gone on without it", { cause: error });
    return null;
  }
}
