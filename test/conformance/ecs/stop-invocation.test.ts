// StopInvocation: what was invoked can be told to stop.
import * as sdk from "@alicloud/ecs20140526";
import { expect, it } from "vitest";
import { account, run, script } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, regionId } from "./world.ts";

itEmbedded("knows what was invoked, by bytes", async () => {
  const { call } = await aWorld({ seed: account });
  const { body } = await call("RunCommand", script);
  const stop = async (InvokeId: string) =>
    outcomeOf(await call("StopInvocation", { InvokeId, "InstanceId.1": "i-web-1" }));
  expect(await stop(String(body["InvokeId"]))).toBe("200 OK");
  expect(await stop("t-nobody")).toBe("404 InvalidInvokeId.NotFound");
});

itEmbedded("takes a stop by the SDK", async () => {
  const { client } = await aWorld({ seed: account });
  const invokeId = await run(client, "ss -lnt");
  const { body } = await client.stopInvocation(
    new sdk.StopInvocationRequest({ regionId, invokeId, instanceId: ["i-web-1"] }),
  );
  expect(body?.requestId).toMatch(/^[0-9A-F-]{36}$/);
});

it("refuses an invocation that is not there, in any account", async () => {
  const { call } = await aTarget();
  const gone = { InvokeId: nobody.invocation, "InstanceId.1": nobody.instance };
  expect(outcomeOf(await call("StopInvocation", gone))).toBe("404 InvalidInvokeId.NotFound");
});
