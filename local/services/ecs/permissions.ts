// The permissions of a request: the numbered list, or the deprecated form without a prefix.
import { type RpcElement, type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { refusal } from "./errors.ts";
import { permissionFieldNames } from "./permission.ts";

/** How many permissions, or rule ids, one call takes. */
export const permissionsPerCallMax = 100;

/** Whether the request carries permission fields without a prefix. */
export const hasFlatPermission = (params: RpcParameters): boolean =>
  permissionFieldNames.some((name) => params[name] !== undefined);

/** All permissions of the request, at least one. */
export const permissionsOf = (params: RpcParameters): readonly RpcElement[] => {
  const numbered = structuresOf(params, "Permissions");
  const isFlat = hasFlatPermission(params);
  if (numbered.length > 0 && isFlat) throw refusal("InvalidParam.Permissions");
  if (numbered.some(({ path }) => Number(path.split(".")[1]) > permissionsPerCallMax)) {
    throw refusal("InvalidParameter", "Permissions");
  }
  return numbered.length > 0 ? numbered : [{ path: "", fields: params }];
};
