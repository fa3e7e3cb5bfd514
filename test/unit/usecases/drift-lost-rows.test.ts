// Every due row is lost while a rule waits for whoever wrote it: it is judged at its time all the same.
import { expect, test } from "vitest";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { DOCUMENT, minutes, terms } from "./lockdown-scene.ts";

const MYSQL = ruleOf(3306, "198.51.100.9/32");

test("what nobody is known to have granted is rolled back when its wait is over", async () => {
  const scene = new Scene("drift and lost due rows", { document: DOCUMENT, isDelivering: false });
  const play = async (): Promise<void> => {
    const app = scene.quietApp();
    const mallory = scene.person("mallory");
    await mallory.firewall.authorize(WEB, [{ spec: MYSQL, description: "" }], mallory.token(), "open");
    const look = { cause: "event", actor: "safeport", priority: "drift", rows: [], drift: true } as const;
    await lookAtGroup(app, WEB, { ...terms(scene, app), ...look });
    const { rows } = await app.tables.range({ table: "due", from: [0], to: null, limit: 5000 });
    for (const { key } of rows) await app.tables.delete("due", key, { kind: "none" });
    await minutes(scene, 5);
    expect(scene.rule(WEB, MYSQL)).toBeDefined();
    await minutes(scene, 10);
    expect(scene.rule(WEB, MYSQL)).toBeUndefined();
  };
  await scene.schedule.run(prepare(scene).then(play));
});
