// DescribeInvocations: what was invoked, for thirty days.
import * as sdk from "@alicloud/ecs20140526";
import { expect, it } from "vitest";
import { account, run, script } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody } from "./target.ts";
import { aWorld, regionId } from "./world.ts";

itEmbedded("forgets an invocation after thirty days", async () => {
  const { call, clock } = await aWorld({ seed: account });
  await call("RunCommand", script);
  const count = async () => (await call("DescribeInvocations")).body["TotalCount"];
  await clock.advance(30 * 86_400_000);
  expect(await count()).toBe(1);
  await clock.advance(1);
  expect(await count()).toBe(0);
});

itEmbedded("tells of an invocation, its output on request", async () => {
  const { client, clock } = await aWorld({ seed: account });
  const invokeId = await run(client, "ss -lnt");
  await clock.advance(1_000);
  const asked = async (includeOutput: boolean) => {
    const { body } = await client.describeInvocations(
      new sdk.DescribeInvocationsRequest({ regionId, invokeId, includeOutput }),
    );
    return body?.invocations?.invocation?.[0];
  };
  expect(await asked(false)).toMatchObject({ invokeId, invokeStatus: "Finished" });
  const [of] = (await asked(true))?.invokeInstances?.invokeInstance ?? [];
  expect(Buffer.from(of?.output ?? "", "base64").toString()).toContain("LISTEN");
});

itEmbedded("pages by number for older clients, and so do its results and the status of agents", async () => {
  const { call } = await aWorld({ seed: account });
  for (const _ of [1, 2, 3]) await call("RunCommand", script);
  const paging = { PageNumber: "2", PageSize: "1" };
  const said = { TotalCount: 3, PageNumber: 2, PageSize: 1, NextToken: "" };
  const { body } = await call("DescribeInvocations", paging);
  expect([body, (body["Invocations"] as { Invocation: unknown[] }).Invocation.length]).toMatchObject([said, 1]);
  expect((await call("DescribeInvocationResults", paging)).body).toMatchObject({ Invocation: said });
  const status = await call("DescribeCloudAssistantStatus", { PageNumber: "1", PageSize: "1" });
  expect(status.body).toMatchObject({ PageNumber: 1, PageSize: 1 });
});

it("knows nothing of what nobody invoked, by bytes", async () => {
  const { call } = await aTarget();
  const { status, body } = await call("DescribeInvocations", { InvokeId: nobody.invocation });
  expect([status, body["TotalCount"]]).toEqual([200, 0]);
});
