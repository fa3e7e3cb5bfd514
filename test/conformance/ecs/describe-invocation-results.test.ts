// DescribeInvocationResults: how a command ended on each instance.
import { expect, it } from "vitest";
import { account, resultsOf, run, script } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody } from "./target.ts";
import { aWorld } from "./world.ts";

itEmbedded("tells what became of a command, by bytes", async () => {
  const { call, clock } = await aWorld({ seed: account });
  const { status, body } = await call("RunCommand", script);
  expect([status, Object.keys(body).sort()]).toEqual([200, ["CommandId", "InvokeId", "RequestId"]]);
  expect([body["CommandId"], body["InvokeId"]]).toEqual([expect.stringMatching(/^c-/), expect.stringMatching(/^t-/)]);
  await clock.advance(1_000);
  const InvokeId = String(body["InvokeId"]);
  const results = await call("DescribeInvocationResults", { InvokeId });
  expect(results.body).toMatchObject({
    Invocation: {
      NextToken: "",
      InvocationResults: {
        InvocationResult: [
          {
            InvokeId,
            InstanceId: "i-web-1",
            InvocationStatus: "Success",
            ExitCode: 0,
            Output: Buffer.from("done\n").toString("base64"),
            Dropped: 0,
            ErrorCode: "",
            Repeats: 1,
          },
        ],
      },
    },
  });
  const invocations = await call("DescribeInvocations", {
    InvokeId,
    IncludeOutput: "true",
    ContentEncoding: "PlainText",
  });
  expect(invocations.body).toMatchObject({
    Invocations: {
      Invocation: [{ InvokeInstances: { InvokeInstance: [{ InstanceId: "i-web-1", Output: "done\n" }] } }],
    },
  });
  const wide = await call("DescribeInvocationResults", { MaxResults: "51" });
  expect(wide.status).toBe(400);
});

itEmbedded("is read by the SDK, page by page", async () => {
  const { client, clock } = await aWorld({ seed: account });
  const invokeId = await run(client, "ss -lnt", { instanceId: ["i-web-1", "i-web-2"] });
  await clock.advance(1_000);
  expect((await resultsOf(client, invokeId)).map(({ instanceId }) => instanceId)).toEqual(["i-web-1", "i-web-2"]);
});

it("refuses pages that are too long, in any account", async () => {
  const { call } = await aTarget();
  const answer = await call("DescribeInvocationResults", { InvokeId: nobody.invocation, MaxResults: "51" });
  expect(answer.status).toBe(400);
});
