// InvokeCommand: a kept script on instances.
import * as sdk from "@alicloud/ecs20140526";
import { expect, it } from "vitest";
import { account, resultsOf } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, regionId } from "./world.ts";

itEmbedded("a kept command can be invoked again, on several instances", async () => {
  const { client, clock } = await aWorld({ seed: account });
  const created = await client.createCommand(
    new sdk.CreateCommandRequest({
      regionId,
      name: "sockets",
      type: "RunShellScript",
      commandContent: Buffer.from("ss -lnt").toString("base64"),
    }),
  );
  const commandId = created.body?.commandId ?? "";
  const { body } = await client.invokeCommand(
    new sdk.InvokeCommandRequest({ regionId, commandId, instanceId: ["i-web-1", "i-web-2"] }),
  );
  await clock.advance(1_000);
  const results = await resultsOf(client, body?.invokeId ?? "");
  expect(results.map(({ instanceId, exitCode }) => [instanceId, exitCode])).toEqual([
    ["i-web-1", 0],
    ["i-web-2", 0],
  ]);
  const described = await client.describeInvocations(
    new sdk.DescribeInvocationsRequest({ regionId, invokeId: body?.invokeId ?? "", includeOutput: true }),
  );
  const [invocation] = described.body?.invocations?.invocation ?? [];
  expect(invocation).toMatchObject({ commandId, commandName: "sockets", invokeStatus: "Finished" });
  expect(invocation?.invokeInstances?.invokeInstance?.map(({ instanceId }) => instanceId)).toEqual([
    "i-web-1",
    "i-web-2",
  ]);
});

it("refuses a command that is not there, by bytes", async () => {
  const { call } = await aTarget();
  const gone = { CommandId: nobody.command, "InstanceId.1": nobody.instance };
  expect(outcomeOf(await call("InvokeCommand", gone))).toBe("404 InvalidCmdId.NotFound");
});
