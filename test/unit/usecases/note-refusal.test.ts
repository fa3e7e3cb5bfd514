// What is written down of posts that were refused, however many come.
import { expect, test } from "vitest";
import { listRecords } from "../../../shared/store/records.ts";
import { noteRefusal } from "../../../shared/usecases/records/note-refusal.ts";
import { Scene } from "../../interleavings/scene.ts";

test("each kind is recorded once a minute, with how many came in between", async () => {
  const scene = new Scene("refusals", { isDelivering: false });
  await scene.schedule.run(
    (async () => {
      const app = scene.quietApp();
      for (let n = 0; n < 200; n++) {
        await noteRefusal(app, "secret", "a wrong secret");
        await noteRefusal(app, "form", "no form");
      }
      await noteRefusal(app, "size", "a post of 10485760 bytes");
      await scene.schedule.sleep(60_000);
      await noteRefusal(app, "secret", "a wrong secret");
      const { records } = await listRecords(app.tables, { limit: 100, before: null });
      const lines = records.flatMap((it) => it.lines).map((line) => line.replace(/^.*refused: /, ""));
      expect(lines.sort()).toEqual([
        "a post of 10485760 bytes",
        "a wrong secret",
        "a wrong secret",
        "and 199 more like it before",
        "no form",
      ]);
    })(),
  );
});
