// An intent that nobody can read: whether a revoke of ours has closed what is gone is told once it can be.
import { expect, test } from "vitest";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { look } from "../../interleavings/incidents.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene } from "../../interleavings/scene.ts";
import { damagedIntents } from "../../kit/damaged-intents.ts";
import { minutes } from "./lockdown-scene.ts";

const rule = ruleOf(7001, "10.7.0.0/16");
const incident = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "an attack", until: null } as const;

/** Somebody's rule is there, and one process closes it for an incident and dies of the answer. */
async function closed(scene: Scene): Promise<void> {
  await prepare(scene);
  const owner = scene.person("owner");
  await owner.firewall.authorize(APP, [{ spec: rule, description: "theirs" }], owner.token(), "open");
  await minutes(scene, 2);
  const { caller, app } = scene.newProcess();
  caller.fate = ({ name }) => (name.startsWith("revoke ") ? "dies after" : "answered");
  await suspendRules(app, APP, incident, [rule]);
  await Promise.race([look(scene, app, APP, "incident").catch(() => undefined), caller.died]);
  expect(scene.rule(APP, rule)).toBeUndefined();
}

test.each([[true], [false]])(
  "what it has closed for an incident is back after it; lifted before it can be read: %s",
  (isLiftedFirst) => {
    const scene = new Scene("damaged intent", { isDelivering: false });
    return scene.schedule.run(
      (async () => {
        await closed(scene);
        const app = scene.quietApp();
        const mend = await damagedIntents(scene.tables, APP);
        await minutes(scene, 3);
        if (isLiftedFirst) {
          await resumeRules(app, APP, incident.itemId);
          await minutes(scene, 5);
          expect(scene.rule(APP, rule)).toBeUndefined();
        }
        await mend();
        await minutes(scene, 3);
        if (!isLiftedFirst) await resumeRules(app, APP, incident.itemId);
        await minutes(scene, 3);
        expect(scene.rule(APP, rule)?.description).toBe("theirs");
      })(),
    );
  },
);
