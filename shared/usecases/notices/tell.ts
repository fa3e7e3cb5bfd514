// Has notices told: written down now, sent by a job.
import type { Notice } from "../../domain/notice.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import type { Write } from "../../ports/tables.ts";
import { noteDelivery, readDelivery } from "../../store/deliveries.ts";
import { noticeWrites } from "../../store/outbox.ts";
import type { App } from "../app.ts";

/**
 * Writes notices down, before what they tell of is written where that is a conditional write of its own, and asks for the job that sends
 * them. Nothing is sent here, and no target can hold anything up.
 */
export async function tell(app: App, notices: readonly Notice[]): Promise<void> {
  if (notices.length === 0) return;
  const writes = noticeWrites(...notices);
  await app.tables.writeAll(writes);
  await askToSend(app, writes);
}

/** Asks for the job that sends them, where whoever wrote the change has written the notices with it. */
export async function askToSend({ wakeup }: App, writes: readonly Write[]): Promise<void> {
  for (const { table, key } of writes) if (table === "due") await wakeup.arm(Number(key[0]), Number(key[1]));
}

/**
 * For what a sweep finds again and again: told once as long as it is named the same. What asks for a job asks for a sweep, and that one would
 * ask for the next, one a second. Noted when it is written down, so that a crash in between has it told again.
 */
export async function tellOnce(app: App, notices: readonly Notice[]): Promise<void> {
  const known = await Promise.all(notices.map(({ id }) => isKnown(app, id)));
  const fresh = notices.filter((_, index) => !known[index]);
  await tell(app, fresh);
  await Promise.all(fresh.map(({ id }) => noteDelivery(app.tables, id)));
}

/** Also where nobody can read what is remembered: it was written down. */
const isKnown = async ({ tables }: App, noticeId: string): Promise<boolean> => {
  try {
    return (await readDelivery(tables, noticeId)) !== null;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return true;
  }
};
