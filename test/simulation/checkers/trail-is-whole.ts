// The audit trail: whatever died, froze or lost a reply, each record follows the one before it and every seal finds its records.
import { recordKey } from "../../../shared/domain/record-chain.ts";
import { TrailVerifier } from "../../../shared/plan/verify-records.ts";
import { exportRecords, type TrailPlace } from "../../../shared/usecases/records/export-records.ts";
import type { Checker } from "./checker.ts";

export const trailIsWhole: Checker = {
  name: "trail-is-whole",
  watch: () => undefined,
  async atEnd(world) {
    const app = world.platform.quietApp();
    const verifier = new TrailVerifier({ key: recordKey(app.settings.markSecret), now: app.clock.now() });
    let place: TrailPlace | null = { sequence: "", seal: 0 };
    while (place !== null) {
      const page: Awaited<ReturnType<typeof exportRecords>> = await exportRecords(
        { ...app, tables: world.tables },
        place,
        1000,
      );
      for (const line of page.lines) {
        if (line.kind === "record") verifier.record(line);
        else verifier.seal(line.number, line);
      }
      place = page.next;
    }
    for (const { of, why } of verifier.end().findings) world.violated("trail-is-whole", `${of}: ${why}`);
  },
};
