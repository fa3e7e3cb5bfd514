// Instances with an agent of Cloud Assistant, and the words of the tests of its operations.
import * as sdk from "@alicloud/ecs20140526";
import { aWorld, type Client, regionId, seed } from "./world.ts";

const instances = seed.instances.map((each) =>
  each.instanceId === "i-web-1" ? { ...each, listeningUdp: [53] } : each,
);
export const account = { ...seed, instances };

export const run = async (client: Client, commandContent: string, more: Partial<sdk.RunCommandRequest> = {}) => {
  const request = { regionId, type: "RunShellScript", commandContent, instanceId: ["i-web-1"], ...more };
  const { body } = await client.runCommand(new sdk.RunCommandRequest(request));
  return body?.invokeId ?? "";
};
export const resultsOf = async (client: Client, invokeId: string, contentEncoding?: string) => {
  const request = { regionId, invokeId, ...(contentEncoding === undefined ? {} : { contentEncoding }) };
  const { body } = await client.describeInvocationResults(new sdk.DescribeInvocationResultsRequest(request));
  return body?.invocation?.invocationResults?.invocationResult ?? [];
};

/** A world whose commands are over, and the outcome of a script on `i-web-1`. */
export const aHost = async (directory?: string) => {
  const world = await aWorld({ seed: account, ...(directory === undefined ? {} : { directory }) });
  const outcome = async (script: string, more?: Partial<sdk.RunCommandRequest>) => {
    const invokeId = await run(world.client, script, more);
    await world.clock.advance(1_000);
    const [result] = await resultsOf(world.client, invokeId, "PlainText");
    return { exitCode: result?.exitCode, output: result?.output, status: result?.invocationStatus };
  };
  return { ...world, outcome };
};

/** A script for `i-web-1`, by bytes. */
export const script = { Type: "RunShellScript", CommandContent: "echo done", "InstanceId.1": "i-web-1" };

/** A ruleset as it is sent, and as a host prints it. */
export const ruleset = `table inet guard {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport { 22, 3389 } drop
  }
}`;
/** See `ruleset`. */
export const printed = `table inet guard {
\tchain input {
\t\ttype filter hook input priority 0; policy accept;
\t\ttcp dport { 22, 3389 } drop
\t}
}
`;
