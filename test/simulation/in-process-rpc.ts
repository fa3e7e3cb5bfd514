// The RPC port on the embedded cloud in this process: the SDK's request models and our decoding, without signature and sockets.
import type { EcsInProcess } from "../../local/services/ecs/start-ecs.ts";
import { readAnswer } from "../../shared/adapters/alibaba/ecs-answers.ts";
import { ecsFailure } from "../../shared/adapters/alibaba/ecs-failures.ts";
import * as sdk from "../../shared/adapters/alibaba/ecs-sdk.ts";
import type { RpcCall, RpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";

const VERSION = "2014-05-26";

/** How a call goes on its way: made, late, lost or never. `act` makes it. */
export type Way = (
  call: { readonly action: string; readonly params: Readonly<Record<string, string>>; readonly reading: boolean },
  act: () => Promise<Readonly<Record<string, unknown>>>,
) => Promise<Readonly<Record<string, unknown>>>;

/** ECS as a process reaches it by `way`, with somebody's key. `skewMs` is how far the process's clock is ahead. */
export function inProcessEcs(ecs: EcsInProcess, accessKeyId: string, way: Way, skewMs: () => number): RpcClient {
  const perform = async (call: RpcCall, params: Readonly<Record<string, string>>) => {
    const outcome = await ecs.answer({
      operation: call.action,
      version: VERSION,
      accessKeyId,
      params,
      clientAddress: "203.0.113.99",
      userAgent: "simulation",
    });
    if (outcome.kind === "drop") throw new CloudFailure("unknown", call.action);
    if (outcome.status === 200) {
      const bytes = Buffer.from(outcome.body);
      return call.bytes ? { bytes } : readAnswer(call.action, bytes);
    }
    const data = JSON.parse(outcome.body) as Readonly<Record<string, unknown>>;
    throw ecsFailure(call.action, {
      statusCode: outcome.status,
      code: data["Code"],
      requestId: data["RequestId"],
      data,
    });
  };
  return {
    call: (call) => {
      const params = sdk.flattenQuery(call.request(sdk.models).toMap());
      return way({ action: call.action, params, reading: call.reading }, () => perform(call, params));
    },
    skewMs,
  };
}
