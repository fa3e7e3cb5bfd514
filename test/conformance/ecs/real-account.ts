// The conformance tests of ECS against a real account: with `ECS_CONFORMANCE=real`, and in the VPC that `ALIBABA_CLOUD_VPC_ID` names.
// `ALIBABA_CLOUD_ECS_ENDPOINT` is for regions whose address is another.
import { needed, realPlaceOf, type Place as ServicePlace } from "../real-account.ts";

/** Where the tests run and as whom. */
export interface Place extends ServicePlace {
  readonly vpcId: string;
}

const found = realPlaceOf("ECS", (regionId) => `ecs.${regionId}.aliyuncs.com`);

/** The real account; undefined when the tests run against the embedded one. */
export const realPlace: Place | undefined = found && { ...found, vpcId: needed("ECS", "ALIBABA_CLOUD_VPC_ID") };
