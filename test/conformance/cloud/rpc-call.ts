// The official RPC core as one short function, for tests that play a person with a key.

import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import type { Cloud } from "../../../local/cloud.ts";

/** Whose key it is. */
export interface KeyHolder {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** Calls operations of one service by its RPC and answers the body; the region is the account's unless told otherwise. */
export function rpcClient(
  cloud: Cloud,
  user: KeyHolder,
  service: { readonly endpoint: string; readonly version: string },
): (action: string, query: Record<string, string>) => Promise<Record<string, unknown>> {
  const client = new OpenApiClient(
    new $OpenApiUtil.Config({
      accessKeyId: user.accessKeyId,
      accessKeySecret: user.accessKeySecret,
      ...(user.securityToken === undefined ? {} : { securityToken: user.securityToken, type: "sts" }),
      endpoint: service.endpoint,
      protocol: "http",
      regionId: cloud.account.regionId,
    }),
  );
  return async (action, query) => {
    const params = new $OpenApiUtil.Params({
      action,
      version: service.version,
      protocol: "HTTP",
      pathname: "/",
      method: "POST",
      authType: "AK",
      style: "RPC",
      reqBodyType: "formData",
      bodyType: "json",
    });
    const request = new $OpenApiUtil.OpenApiRequest({ query: { RegionId: cloud.account.regionId, ...query } });
    return (await client.callApi(params, request, {} as never)) as Record<string, unknown>;
  };
}

/** Calls ECS operations of the cloud with a user's key. */
export function ecsClient(cloud: Cloud, user: KeyHolder): ReturnType<typeof rpcClient> {
  return rpcClient(cloud, user, { endpoint: cloud.endpoints.ecs, version: "2014-05-26" });
}
