// Records that posts to the alarm webhook were refused: each kind once a minute and process, so that a flood of them fills no table.
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";

const EVERY_MS = 60_000;
/** What is wrong with a post. */
export type RefusalKind = "secret" | "method" | "size" | "form";

const refusals = new WeakMap<App, Map<RefusalKind, { at: number; since: number }>>();

/** Records `what` with how many of its kind were refused since the last record. Never rejects: what was refused has no effect. */
export async function noteRefusal(app: App, kind: RefusalKind, what: string): Promise<void> {
  const now = app.clock.monotonicMs();
  const kinds = refusals.get(app) ?? new Map();
  refusals.set(app, kinds);
  const noted = kinds.get(kind);
  if (noted && now - noted.at < EVERY_MS) {
    noted.since += 1;
    return;
  }
  kinds.set(kind, { at: now, since: 0 });
  const more = noted && noted.since > 0 ? [`and ${noted.since} more like it before`] : [];
  const record = { at: app.clock.now(), group: null, cause: "alarm", actor: "unknown", policyVersion: null };
  const lines = [`a post to the alarm webhook is refused: ${what}`, ...more];
  try {
    await writeRecord(app, { ...record, lines });
  } catch (error) {
    app.log.write("warn", "a refused post cannot be recorded", { cause: error });
  }
}
