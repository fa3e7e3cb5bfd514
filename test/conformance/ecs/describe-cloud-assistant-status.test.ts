// DescribeCloudAssistantStatus: which instances have an agent.
import * as sdk from "@alicloud/ecs20140526";
import { expect } from "vitest";
import { account } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, regionId } from "./world.ts";

itEmbedded("every running instance has an agent", async () => {
  const { client } = await aWorld({ seed: account });
  const { body } = await client.describeCloudAssistantStatus(
    new sdk.DescribeCloudAssistantStatusRequest({ regionId, instanceId: ["i-web-2"] }),
  );
  const [status] = body?.instanceCloudAssistantStatusSet?.instanceCloudAssistantStatus ?? [];
  expect(status).toMatchObject({ instanceId: "i-web-2", cloudAssistantStatus: "true", OSType: "Linux" });
});

itEmbedded("tells it by bytes too", async () => {
  const { call } = await aWorld({ seed: account });
  const agents = await call("DescribeCloudAssistantStatus", { "InstanceId.1": "i-web-1" });
  expect(agents.body).toMatchObject({
    InstanceCloudAssistantStatusSet: {
      InstanceCloudAssistantStatus: [
        { InstanceId: "i-web-1", CloudAssistantStatus: "true", LastHeartbeatTime: expect.stringMatching(/Z$/) },
      ],
    },
  });
});
