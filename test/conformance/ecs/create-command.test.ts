// CreateCommand: a script that is kept. Only on the embedded service: a kept command could not be taken away again.
import { expect } from "vitest";
import { account } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld } from "./world.ts";

itEmbedded("takes Base64 unless told, and is run by InvokeCommand", async () => {
  const { call, clock } = await aWorld({ seed: account });
  const CommandContent = Buffer.from("echo kept").toString("base64");
  const created = await call("CreateCommand", { Name: "kept", Type: "RunShellScript", CommandContent });
  const CommandId = String(created.body["CommandId"]);
  const invoked = await call("InvokeCommand", { CommandId, "InstanceId.1": "i-web-2" });
  expect(Object.keys(invoked.body).sort()).toEqual(["InvokeId", "RequestId"]);
  await clock.advance(1_000);
  const { body } = await call("DescribeInvocationResults", { CommandId, ContentEncoding: "PlainText" });
  expect(body).toMatchObject({ Invocation: { InvocationResults: { InvocationResult: [{ Output: "kept\n" }] } } });
  expect(outcomeOf(await call("InvokeCommand", { CommandId: "c-nobody", "InstanceId.1": "i-web-2" }))).toBe(
    "404 InvalidCmdId.NotFound",
  );
  const large = { Name: "n", Type: "RunShellScript", CommandContent: "A".repeat(18 * 1024 + 4) };
  expect(outcomeOf(await call("CreateCommand", large))).toBe("403 CmdContent.ExceedLimit");
});
