// Calls that a fault holds up wait side by side, as many as there are.
import { expect, test } from "vitest";
import { World } from "../../../kit/world.ts";

test("many calls that wait are no leak: nothing is warned of", async () => {
  const warned: string[] = [];
  const hear = ({ name }: Error): unknown => warned.push(name);
  process.on("warning", hear);
  const world = await World.start({ inMemory: true, realTime: true });
  try {
    world.faults([{ service: "ecs", times: 100, fault: { kind: "delay", ms: 30 } }]);
    const { firewall } = world.process();
    await Promise.all(Array.from({ length: 30 }, () => firewall.readGroup(world.web, "lockdown")));
    // Warnings come with the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned).toEqual([]);
  } finally {
    process.off("warning", hear);
    await world.stop();
  }
});
