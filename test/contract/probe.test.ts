// `safeport probe` names the reading of the cloud it runs on, whatever that is, and leaves nothing behind.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { experiments } from "../../cli/probe/ecs-experiments.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { defaultSwitches, type EcsSwitches, otherReadings } from "../../local/services/ecs/switches.ts";
import { typed } from "../kit/command-line.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.135.0.0/16", startMs: Date.UTC(2026, 10, 27) });
});
afterAll(() => cloud?.stop());

async function probe(line = ""): Promise<{ code: number; seen: Record<string, unknown>; err: string }> {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const env = {
    SAFEPORT_REGION: cloud.account.regionId,
    SAFEPORT_ECS_ENDPOINT: `http://${cloud.endpoints.ecs}`,
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  const words = `probe --vpc ${cloud.account.vpcId} --json ${line}`.trim();
  const { code, out, err } = await typed(words, { cloud, env });
  const probes = out === "" ? [] : JSON.parse(out).probes;
  const seen = Object.fromEntries(
    probes.map((it: Record<string, unknown>) => [it["switch"], it["observed"] ?? it["failed"]]),
  );
  return { code, seen, err };
}

/** What the probe can tell of a reading: not what only a packet sees. */
const told = (name: string, value: unknown): unknown =>
  name === "destCidrIp" && (value === "honoured" || value === "ignored") ? "stored: honoured or ignored" : value;
const groups = () => cloud.ecs.groups().map(({ groupId }) => groupId);

describe("a probe", () => {
  it("names the defaults of the embedded cloud, and leaves the account as it was", async () => {
    const before = groups();
    const { code, seen, err } = await probe();
    expect(code, err).toBe(0);
    expect(seen).toEqual(
      Object.fromEntries(experiments.map(({ name }) => [name, told(name, defaultSwitches[name as keyof EcsSwitches])])),
    );
    expect(groups()).toEqual(before);
  });

  const readings = experiments.flatMap(({ name }) =>
    otherReadings[name as keyof EcsSwitches].map((value) => [name as keyof EcsSwitches, value] as const),
  );
  it.each(readings)("sees that %s is %s", async (name, value) => {
    Object.assign(cloud.switches, { [name]: value });
    const isLag = name === "readAfterWriteMs";
    const { code, seen, err } = await probe(isLag ? "" : `--only ${name}`);
    Object.assign(cloud.switches, { [name]: defaultSwitches[name] });
    expect(code, `${err} ${JSON.stringify(seen)}`).toBe(0);
    // Old readings make no other answer wrong.
    const all = Object.fromEntries(
      experiments.map((it) => [it.name, told(it.name, defaultSwitches[it.name as keyof EcsSwitches])]),
    );
    if (isLag) expect(seen).toEqual({ ...all, [name]: expect.closeTo(1000, -3) });
    else expect(seen).toEqual({ readAfterWriteMs: 0, [name]: told(name, value) });
  });

  it("that was interrupted leaves a group that the next one deletes, and touches no other", async () => {
    const before = groups();
    cloud.faults.set([{ service: "ecs", operation: "DeleteSecurityGroup", fault: { kind: "drop-before" }, times: 99 }]);
    const cut = await probe("--only icmpv6");
    cloud.faults.set([]);
    expect(cut.err).toContain("could not be deleted");
    expect(groups()).toHaveLength(before.length + 1);
    expect((await probe("--only icmpv6")).err).toContain("which an interrupted run has left");
    expect(groups()).toEqual(before);
  });

  it("needs a VPC, and knows its experiments", async () => {
    expect(await probe("--only nonsense")).toMatchObject({ code: 2 });
  });
});
