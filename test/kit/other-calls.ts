// Calls to the embedded ECS that the program itself never makes, by somebody else: lists, members, tags, other accounts' groups.
import type { Principal } from "../../local/principals.ts";
import { ecsRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { region, type World } from "./world.ts";

/** Makes one call with parameters as they go over the wire, whose effect can be read then; answers its body. Throws CloudFailure. */
export async function callByOther(
  world: World,
  action: string,
  parameters: Readonly<Record<string, string>>,
  whose?: Principal,
): Promise<Readonly<Record<string, unknown>>> {
  const { accessKeyId, accessKeySecret, securityToken } = whose ?? {
    accessKeyId: "ak-other",
    accessKeySecret: "sk-other",
    securityToken: undefined,
  };
  const rpc = ecsRpcClient({
    clock: world.clock,
    credentials: () => ({ accessKeyId, accessKeySecret, ...(securityToken === undefined ? {} : { securityToken }) }),
    endpoint: () => world.ecs.endpoint,
    protocol: "http",
  });
  const request = () => ({ toMap: () => ({ RegionId: region, ...parameters }) });
  const body = await world.run(rpc.call({ action, region, priority: "drift", reading: false, request }));
  await world.written();
  return body;
}
