// StartInstance, by SDK and by bytes.
import { StartInstanceRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld, refusalOf } from "./world.ts";

describe("StartInstance", () => {
  itEmbedded("starts a stopped instance, and no other", async () => {
    const { client, call, ecs } = await aWorld();
    const start = () => client.startInstance(new StartInstanceRequest({ instanceId: "i-web-1" }));
    expect(await refusalOf(start())).toEqual({ statusCode: 403, code: "IncorrectInstanceStatus" });
    await call("StopInstance", { InstanceId: "i-web-1" });
    await start();
    expect(ecs.instances().map(({ status }) => status)).toEqual(["Running", "Running"]);
  });
});

describe("StartInstance by bytes", () => {
  itEmbedded("answers a request id alone, and refuses in the documented statuses", async () => {
    const { call } = await aWorld();
    const InstanceId = "i-web-2";
    await call("StopInstance", { InstanceId });
    const started = await call("StartInstance", { InstanceId });
    expect([started.status, Object.keys(started.body)]).toEqual([200, ["RequestId"]]);
    expect(outcomeOf(await call("StartInstance", { InstanceId }))).toBe("403 IncorrectInstanceStatus");
    expect(outcomeOf(await call("StartInstance", { InstanceId: "i-nobody" }))).toBe("404 InvalidInstanceId.NotFound");
  });
});
