// An event whose pass still reads the group as it had been: in a group that is not guarded no other pass would ever compare.
import { expect, test } from "vitest";
import type { App } from "../../../shared/usecases/app.ts";
import { holdDrops } from "../../../shared/usecases/ledger/hold-drops.ts";
import { look } from "../../interleavings/incidents.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene } from "../../interleavings/scene.ts";
import { minutes } from "./lockdown-scene.ts";

const DROP = { ...ruleOf(8443, "0.0.0.0/0"), policy: "drop" } as const;
const WIDER = ruleOf(8443, "198.51.100.0/24");

test.each(["changed", "removed"])("a drop of ours that was %s is put back all the same", (how) => {
  const scene = new Scene("an early event", { isDelivering: false });
  return scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const until = app.clock.now() + 86_400_000;
      const ask = { kind: "quarantine", holderId: "rc-1", principal: "safeport", reason: "unused", until } as const;
      await holdDrops(app, APP, ask, [DROP]);
      await look(scene, app, APP, "test");
      await minutes(scene, 2);
      const before = await app.firewall.readGroup(APP, "drift");
      const { firewall, token } = scene.person("mallory");
      const ruleId = scene.rule(APP, DROP)?.id;
      if (ruleId === undefined) throw new Error("there is no drop");
      if (how === "removed") await firewall.revoke(APP, [ruleId], token(), "end");
      else await firewall.modify(APP, ruleId, { spec: WIDER, description: "mine" }, token(), "end");
      const late: App = { ...app, firewall: { ...app.firewall, readGroup: async () => before } };
      for (const record of scene.records.slice(-1)) await scene.deliver(late, record);
      expect(scene.rule(APP, DROP)).toBeUndefined();
      await minutes(scene, 3);
      expect([scene.rule(APP, DROP) !== undefined, scene.rule(APP, WIDER)]).toEqual([true, undefined]);
    }),
  );
});
