// StopInstance, by SDK and by bytes.
import { DescribeInstancesRequest, StopInstanceRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aDirectory, aWorld, refusalOf, regionId } from "./world.ts";

describe("StopInstance", () => {
  itEmbedded("stops an instance, durably and once", async () => {
    const directory = await aDirectory();
    const { client, ecs } = await aWorld({ directory });
    const stop = (dryRun = false) =>
      client.stopInstance(new StopInstanceRequest({ regionId, instanceId: "i-web-1", dryRun }));
    expect(await refusalOf(stop(true))).toEqual({ statusCode: 400, code: "DryRunOperation" });
    await stop();
    expect(await refusalOf(stop())).toEqual({ statusCode: 403, code: "IncorrectInstanceStatus" });
    const status = async (of = client) =>
      (await of.describeInstances(new DescribeInstancesRequest({ regionId }))).body?.instances?.instance?.map(
        (each) => `${each.instanceId} ${each.status}`,
      );
    expect(await status()).toEqual(["i-web-1 Stopped", "i-web-2 Running"]);
    await ecs.stop();
    expect(await status((await aWorld({ directory })).client)).toEqual(["i-web-1 Stopped", "i-web-2 Running"]);
  });
});

describe("StopInstance by bytes", () => {
  itEmbedded("answers a request id alone, and tells the data plane", async () => {
    const { call, ecs } = await aWorld();
    const told: (readonly string[])[] = [];
    ecs.onRulesChanged((groups) => void told.push(groups));
    const stopped = await call("StopInstance", { InstanceId: "i-web-1" });
    expect([stopped.status, Object.keys(stopped.body)]).toEqual([200, ["RequestId"]]);
    expect(told).toEqual([["sg-web", "sg-empty"]]);
    expect(outcomeOf(await call("StopInstance", { InstanceId: "i-nobody" }))).toBe("404 InvalidInstanceId.NotFound");
    expect(outcomeOf(await call("StopInstance", {}))).toBe("400 MissingParameter");
  });
});
