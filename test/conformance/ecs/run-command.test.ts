// RunCommand: a script on instances, once.
import * as sdk from "@alicloud/ecs20140526";
import { expect, it } from "vitest";
import { account, printed, resultsOf, ruleset, run, script } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, refusalOf, regionId } from "./world.ts";

itEmbedded(
  "a command runs, and then is done: Running without output first, Success with Base64 output after",
  async () => {
    const { client, clock } = await aWorld({ seed: account });
    const invokeId = await run(client, "ss -lntu");
    const [during] = await resultsOf(client, invokeId);
    expect(during).toMatchObject({
      invocationStatus: "Running",
      output: "",
      invokeRecordStatus: "Running",
      finishedTime: "",
    });
    await clock.advance(1_000);
    const [after] = await resultsOf(client, invokeId);
    expect(after).toMatchObject({
      invokeId,
      instanceId: "i-web-1",
      invocationStatus: "Success",
      invokeRecordStatus: "Finished",
      exitCode: 0,
      dropped: 0,
      errorCode: "",
      username: "root",
    });
    expect(Buffer.from(after?.output ?? "", "base64").toString()).toContain("LISTEN");
  },
);

itEmbedded("output beyond 24 KB is cut, and the bytes lost are told", async () => {
  const { client, clock } = await aWorld({ seed: account });
  const big = Array.from({ length: 400 }, () => "nft list ruleset").join("\n");
  const load = await run(client, `nft -f - <<END\n${ruleset}\nEND\n${big}`);
  await clock.advance(1_000);
  const [cut] = await resultsOf(client, load);
  expect(Buffer.from(cut?.output ?? "", "base64")).toHaveLength(24 * 1024);
  expect(cut?.dropped).toBe(400 * printed.length - 24 * 1024);
});

itEmbedded("the same ClientToken runs the command once", async () => {
  const { client } = await aWorld({ seed: account });
  const [first, second] = [
    await run(client, "ss -lnt", { clientToken: "t-1" }),
    await run(client, "ss -lnt", { clientToken: "t-1" }),
  ];
  expect(second).toBe(first);
  const { body } = await client.describeInvocations(new sdk.DescribeInvocationsRequest({ regionId }));
  expect(body?.invocations?.invocation).toHaveLength(1);
});

itEmbedded("egress rules that cut the agent off abort the command", async () => {
  const rule = {
    direction: "egress",
    policy: "Drop",
    ipProtocol: "ALL",
    portRange: "-1/-1",
    destCidrIp: "100.64.0.0/10",
  } as const;
  const groups = account.groups.map((group) => (group.groupId === "sg-web" ? { ...group, rules: [rule] } : group));
  const { client, clock } = await aWorld({ seed: { ...account, groups } });
  const invokeId = await run(client, "ss -lnt");
  await clock.advance(1_000);
  expect((await resultsOf(client, invokeId))[0]).toMatchObject({
    invocationStatus: "Aborted",
    errorCode: "SecurityGroupRuleDenied",
  });
});

itEmbedded.each([
  ["no instance", { instanceId: [] }, 400, "MissingParam.InstanceId"],
  ["an unknown instance", { instanceId: ["i-web-1", "i-gone"] }, 404, "InvalidInstance.NotFound"],
  ["an unknown type", { type: "RunPython" }, 404, "InvalidCmdType.NotFound"],
  ["a type of another system", { type: "RunBatScript" }, 400, "InvalidInstance.NotMatch"],
  ["text that is not Base64", { contentEncoding: "Base64", commandContent: "?" }, 400, "CmdContent.DecodeError"],
  ["too long a text", { commandContent: "x".repeat(20_000) }, 403, "CmdContent.ExceedLimit"],
  ["too long a timeout", { timeout: 100_000 }, 403, "InvalidTimeout.ExceedLimit"],
  ["a period", { repeatMode: "Period" }, 404, "InvalidRepeatMode.NotFound"],
] as const)("RunCommand refuses %s", async (_what, more, statusCode, code) => {
  const { client } = await aWorld({ seed: account });
  const refused = run(client, "ss -lnt", more as Partial<sdk.RunCommandRequest>);
  expect(await refusalOf(refused)).toEqual({ statusCode, code });
});

itEmbedded("101 instances are too many, and one that is not there fails all", async () => {
  const { call } = await aWorld({ seed: account });
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`InstanceId.${n + 1}`, "i-web-1"]));
  expect(outcomeOf(await call("RunCommand", { ...script, ...many }))).toBe("403 InstanceIds.ExceedLimit");
  expect(outcomeOf(await call("RunCommand", { ...script, "InstanceId.2": "i-gone" }))).toBe(
    "404 InvalidInstance.NotFound",
  );
  expect((await call("DescribeInvocations")).body["TotalCount"]).toBe(0);
});

it("refuses an instance that is not there, in any account", async () => {
  const { call } = await aTarget();
  const gone = { Type: "RunShellScript", CommandContent: "echo", "InstanceId.1": nobody.instance };
  expect(outcomeOf(await call("RunCommand", gone))).toBe("404 InvalidInstance.NotFound");
});
