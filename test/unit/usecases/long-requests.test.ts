// Rules with long descriptions, given back through a gateway that takes no such long request.
import { expect, test } from "vitest";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { region, World, worldSeed } from "../../kit/world.ts";

/** Twenty of them in one request are 90 KB of URL, and one is five. */
const rules = Array.from({ length: 20 }, (_, n) => ({
  portRange: `${7000 + n}/${7000 + n}`,
  sourceCidrIp: "192.0.2.0/24",
  description: "端".repeat(500),
}));

test("what a lockdown has closed comes back, one by one where it does not fit into one request", async () => {
  const groups = worldSeed.groups.map((group) => (group.groupId === "sg-app" ? { ...group, rules } : group));
  const world = await World.start({ seed: { ...worldSeed, groups }, limits: { urlBytes: 8192 }, inMemory: true });
  try {
    const app = world.process();
    const group = { region, groupId: "sg-app" as typeof world.web.groupId };
    const standing = async () => (await world.run(app.firewall.readGroup(group, "drift"))).rules;
    const before = await standing();
    const suspender = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: null } as const;
    await world.run(suspendRules(app, group, suspender, before));
    await world.ticks(2);
    expect(await standing()).toEqual([]);
    await world.run(resumeRules(app, group, "ld-1"));
    await world.ticks(2);
    const shown = (found: typeof before) => found.map((rule) => `${ruleKey(rule)} ${rule.description}`).sort();
    expect(shown(await standing())).toEqual(shown(before));
  } finally {
    await world.stop();
  }
});
