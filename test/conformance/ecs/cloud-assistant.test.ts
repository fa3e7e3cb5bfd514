// Cloud Assistant: RunCommand and what can be asked about it, driven by the official SDK.
import { gunzipSync } from "node:zlib";
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aDirectory, aWorld, type Client, refusalOf, regionId, seed } from "./world.ts";

const instances = seed.instances.map((each) =>
  each.instanceId === "i-web-1" ? { ...each, listeningUdp: [53] } : each,
);
const account = { ...seed, instances };

const run = async (client: Client, commandContent: string, more: Partial<sdk.RunCommandRequest> = {}) => {
  const request = { regionId, type: "RunShellScript", commandContent, instanceId: ["i-web-1"], ...more };
  const { body } = await client.runCommand(new sdk.RunCommandRequest(request));
  return body?.invokeId ?? "";
};
const resultsOf = async (client: Client, invokeId: string, contentEncoding?: string) => {
  const request = { regionId, invokeId, ...(contentEncoding === undefined ? {} : { contentEncoding }) };
  const { body } = await client.describeInvocationResults(new sdk.DescribeInvocationResultsRequest(request));
  return body?.invocation?.invocationResults?.invocationResult ?? [];
};

/** A world whose commands are over, and the outcome of a script on `i-web-1`. */
const aHost = async (directory?: string) => {
  const world = await aWorld({ seed: account, ...(directory === undefined ? {} : { directory }) });
  const outcome = async (script: string, more?: Partial<sdk.RunCommandRequest>) => {
    const invokeId = await run(world.client, script, more);
    await world.clock.advance(1_000);
    const [result] = await resultsOf(world.client, invokeId, "PlainText");
    return { exitCode: result?.exitCode, output: result?.output, status: result?.invocationStatus };
  };
  return { ...world, outcome };
};

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

itEmbedded("ss lists the sockets that the instance listens on", async () => {
  const { outcome } = await aHost();
  const { output } = await outcome("ss -lntu");
  const sockets = (output ?? "").trim().split("\n").slice(1);
  expect(sockets.map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[4]])).toEqual([
    ["udp", "0.0.0.0:53"],
    ["tcp", "0.0.0.0:22"],
    ["tcp", "0.0.0.0:80"],
  ]);
  expect((await outcome("ss -Hlnt")).output?.trim().split("\n")).toHaveLength(2);
});

const ruleset = `table inet guard {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport { 22, 3389 } drop
  }
}`;
const printed = `table inet guard {
\tchain input {
\t\ttype filter hook input priority 0; policy accept;
\t\ttcp dport { 22, 3389 } drop
\t}
}
`;

itEmbedded("nft loads a ruleset from its input, and lists it until it is deleted", async () => {
  const { outcome } = await aHost();
  expect(await outcome("nft list ruleset")).toEqual({ exitCode: 0, output: "", status: "Success" });
  expect(await outcome(`#!/bin/sh\nset -e\nnft -f - <<'END'\n${ruleset}\nEND\n`)).toMatchObject({ exitCode: 0 });
  expect(await outcome("nft list ruleset")).toMatchObject({ output: printed });
  const base64 = Buffer.from("add rule inet guard input tcp dport 23 drop\n").toString("base64");
  expect(await outcome(`echo ${base64} | base64 -d | nft -f -`)).toMatchObject({ exitCode: 0 });
  expect((await outcome("nft list table inet guard")).output).toContain("\t\ttcp dport 23 drop\n");
  const { output } = await outcome("nft list ruleset | gzip -9 | base64 -w0");
  expect(gunzipSync(Buffer.from(output ?? "", "base64")).toString()).toContain("tcp dport 23 drop");
  expect(await outcome("nft delete table inet guard && nft list ruleset")).toMatchObject({ exitCode: 0, output: "" });
});

itEmbedded("nft takes a script whole or not at all", async () => {
  const { outcome } = await aHost();
  const script = `nft -f - <<END\n${ruleset}\nadd rule inet missing input drop\nEND`;
  expect(await outcome(script)).toEqual({
    exitCode: 1,
    output: "Error: Could not process rule: No such file or directory\n",
    status: "Failed",
  });
  expect(await outcome("nft list ruleset")).toMatchObject({ output: "" });
  expect(await outcome("nft -f - <<END\ntable inet x {\nEND")).toMatchObject({ exitCode: 1 });
});

itEmbedded("each host has a ruleset of its own, which outlives the cloud", async () => {
  const directory = await aDirectory();
  const first = await aHost(directory);
  await first.outcome(`nft -f - <<END\n${ruleset}\nEND`);
  expect(await first.outcome("nft list ruleset", { instanceId: ["i-web-2"] })).toMatchObject({ output: "" });
  await first.ecs.stop();
  const second = await aHost(directory);
  expect(await second.outcome("nft list ruleset")).toMatchObject({ output: printed });
  await second.ecs.reset();
  expect(await second.outcome("nft list ruleset")).toMatchObject({ output: "" });
});

itEmbedded("what the host does not know exits with 127, and set -e stops there", async () => {
  const { outcome } = await aHost();
  expect(await outcome("reboot now")).toEqual({
    exitCode: 127,
    output: "sh: reboot: command not found\n",
    status: "Failed",
  });
  expect((await outcome("set -e\nreboot\nss -lnt")).output).not.toContain("LISTEN");
  expect((await outcome("reboot\nss -lnt")).exitCode).toBe(0);
});

itEmbedded("output beyond 24 KB is cut, and the bytes lost are told", async () => {
  const { client, clock } = await aWorld({ seed: account });
  const big = Array.from({ length: 400 }, () => "nft list ruleset").join("\n");
  const load = await run(client, `nft -f - <<END\n${ruleset}\nEND\n${big}`);
  await clock.advance(1_000);
  const [cut] = await resultsOf(client, load);
  expect(Buffer.from(cut?.output ?? "", "base64")).toHaveLength(24 * 1024);
  expect(cut?.dropped).toBe(400 * printed.length - 24 * 1024);
});

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

itEmbedded("every running instance has an agent", async () => {
  const { client } = await aWorld({ seed: account });
  const { body } = await client.describeCloudAssistantStatus(
    new sdk.DescribeCloudAssistantStatusRequest({ regionId, instanceId: ["i-web-2"] }),
  );
  const [status] = body?.instanceCloudAssistantStatusSet?.instanceCloudAssistantStatus ?? [];
  expect(status).toMatchObject({ instanceId: "i-web-2", cloudAssistantStatus: "true", OSType: "Linux" });
});

describe("by bytes", () => {
  const script = { Type: "RunShellScript", CommandContent: "echo done", "InstanceId.1": "i-web-1" };

  itEmbedded(
    "RunCommand answers ids, DescribeInvocations and DescribeInvocationResults what became of it",
    async () => {
      const { call, clock } = await aWorld({ seed: account });
      const { status, body } = await call("RunCommand", script);
      expect([status, Object.keys(body).sort()]).toEqual([200, ["CommandId", "InvokeId", "RequestId"]]);
      expect([body["CommandId"], body["InvokeId"]]).toEqual([
        expect.stringMatching(/^c-/),
        expect.stringMatching(/^t-/),
      ]);
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
    },
  );

  itEmbedded("forgets an invocation after thirty days", async () => {
    const { call, clock } = await aWorld({ seed: account });
    await call("RunCommand", script);
    const count = async () => (await call("DescribeInvocations")).body["TotalCount"];
    await clock.advance(30 * 86_400_000);
    expect(await count()).toBe(1);
    await clock.advance(1);
    expect(await count()).toBe(0);
  });

  itEmbedded("CreateCommand takes Base64 unless told, and InvokeCommand runs what it made", async () => {
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

  itEmbedded("StopInvocation knows what was invoked, DescribeCloudAssistantStatus who has an agent", async () => {
    const { call } = await aWorld({ seed: account });
    const { body } = await call("RunCommand", script);
    const stop = async (InvokeId: string) =>
      outcomeOf(await call("StopInvocation", { InvokeId, "InstanceId.1": "i-web-1" }));
    expect(await stop(String(body["InvokeId"]))).toBe("200 OK");
    expect(await stop("t-nobody")).toBe("404 InvalidInvokeId.NotFound");
    const agents = await call("DescribeCloudAssistantStatus", { "InstanceId.1": "i-web-1" });
    expect(agents.body).toMatchObject({
      InstanceCloudAssistantStatusSet: {
        InstanceCloudAssistantStatus: [
          { InstanceId: "i-web-1", CloudAssistantStatus: "true", LastHeartbeatTime: expect.stringMatching(/Z$/) },
        ],
      },
    });
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
});
