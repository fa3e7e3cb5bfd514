// Refusals of Cloud Assistant, with the service's own codes and statuses.

import { RpcError } from "../../protocol/rpc/rpc-error.ts";

const catalogue = {
  "CmdContent.DecodeError": [400, "The CommandContent can not be base64 decoded."],
  "CmdContent.ExceedLimit": [403, "The length of the command content exceeds the upper limit."],
  "InstanceIds.ExceedLimit": [403, "The number of instance IDs exceeds the upper limit."],
  "InvalidCmdId.NotFound": [404, "The specified command ID does not exist."],
  "InvalidCmdType.NotFound": [404, "The specified command type does not exist."],
  "InvalidInstance.NotFound": [404, "The specified instances do not exist."],
  "InvalidInstance.NotMatch": [400, "The specified instances do not match the command type."],
  "InvalidInvokeId.NotFound": [404, "The specified invocation ID does not exist."],
  "InvalidRepeatMode.NotFound": [404, "The specified repeat mode does not exist."],
  "InvalidTimeout.ExceedLimit": [403, "The specified timeout exceeds the upper limit."],
  "MissingParam.InstanceId": [400, "The parameter InstanceId is missing."],
} as const satisfies Record<string, readonly [number, string]>;

/** The refusal with this code. */
export const assistantRefusal = (code: keyof typeof catalogue): RpcError => {
  const [status, message] = catalogue[code];
  return new RpcError({ status, code, message });
};
