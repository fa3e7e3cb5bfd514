// Which network interface a Join or Leave is about.
import { refusal } from "./errors.ts";
import type { EcsEni } from "./model.ts";
import { type OperationContext, requireParameter } from "./operation.ts";

/** The interface named by `NetworkInterfaceId`, or the primary one of `InstanceId`, in the region of the call. */
export const requireMember = ({ params, draft, account }: OperationContext): EcsEni => {
  const regionId = params.RegionId ?? account.regionId;
  const eniId = params.NetworkInterfaceId;
  const instanceId = eniId === undefined ? requireParameter(params, "InstanceId") : "";
  const eni = draft
    .enis()
    .filter((each) => each.regionId === regionId)
    .find((each) => (eniId === undefined ? each.primary && each.instanceId === instanceId : each.eniId === eniId));
  if (eni === undefined) {
    throw refusal(eniId === undefined ? "InvalidInstanceId.NotFound" : "InvalidNetworkInterfaceId.NotFound");
  }
  if (eni.serviceManaged) throw refusal("InvalidOperation.EniServiceManaged");
  return eni;
};
