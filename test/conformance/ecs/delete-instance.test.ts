// DeleteInstance, by SDK and by bytes.
import { DeleteInstanceRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aDirectory, aWorld, refusalOf } from "./world.ts";

describe("DeleteInstance", () => {
  itEmbedded("takes an instance and its primary interface away, durably, and leaves its further ones", async () => {
    const directory = await aDirectory();
    const { client, ecs } = await aWorld({ directory });
    const remove = (force: boolean) =>
      client.deleteInstance(new DeleteInstanceRequest({ instanceId: "i-web-1", force }));
    expect(await refusalOf(remove(false))).toEqual({ statusCode: 403, code: "IncorrectInstanceStatus" });
    await remove(true);
    const left = (of: Pick<typeof ecs, "instances" | "enis">) => [
      of.instances().map(({ instanceId }) => instanceId),
      of.enis().map(({ eniId, instanceId }) => `${eniId} ${instanceId}`),
    ];
    const expected = [["i-web-2"], ["eni-web-2 i-web-2", "eni-lb ", "eni-second "]];
    expect(left(ecs)).toEqual(expected);
    await ecs.stop();
    expect(left((await aWorld({ directory })).ecs)).toEqual(expected);
  });
});

describe("DeleteInstance by bytes", () => {
  itEmbedded("deletes a stopped one without force, once for a token, and refuses an unknown one", async () => {
    const { call } = await aWorld();
    const query = { InstanceId: "i-web-2", ClientToken: "once" };
    await call("StopInstance", { InstanceId: "i-web-2" });
    const deleted = await call("DeleteInstance", query);
    expect([deleted.status, Object.keys(deleted.body)]).toEqual([200, ["RequestId"]]);
    expect((await call("DeleteInstance", query)).status).toBe(200);
    expect(outcomeOf(await call("DeleteInstance", { InstanceId: "i-web-2" }))).toBe("404 InvalidInstanceId.NotFound");
  });
});
