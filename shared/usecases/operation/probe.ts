// A job that does nothing but say when it ran: doctor books one, and sees how late a wake-up comes.

import { probeWrite } from "../../store/probes.ts";
import type { App } from "../app.ts";

/** Leaves the instant of now for whoever booked it. */
export async function answerProbe(app: App, id: string): Promise<null> {
  await app.tables.writeAll([probeWrite(id, app.clock.now())]);
  return null;
}
