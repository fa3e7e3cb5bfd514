// The conformance tests against a real account: only with `ECS_CONFORMANCE=real`, in the region, with the key and in the VPC that
// `ALIBABA_CLOUD_REGION`, `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and `ALIBABA_CLOUD_VPC_ID` name.
// `ALIBABA_CLOUD_ECS_ENDPOINT` is for regions whose address is another, `ALIBABA_CLOUD_SECURITY_TOKEN` for a key that a role lends.
const { ECS_CONFORMANCE } = process.env;

/** Where the tests run and as whom. */
export interface Place {
  /** `http://` or `https://`, and the host. */
  readonly url: string;
  readonly regionId: string;
  readonly vpcId: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
}

const required = (name: string): string => {
  const value = process.env[name] ?? "";
  if (value === "") throw new Error(`ECS_CONFORMANCE=real needs ${name}.`);
  return value;
};

const readPlace = (): Place => {
  const regionId = required("ALIBABA_CLOUD_REGION");
  return {
    url: process.env.ALIBABA_CLOUD_ECS_ENDPOINT ?? `https://ecs.${regionId}.aliyuncs.com`,
    regionId,
    vpcId: required("ALIBABA_CLOUD_VPC_ID"),
    accessKeyId: required("ALIBABA_CLOUD_ACCESS_KEY_ID"),
    accessKeySecret: required("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    securityToken: process.env.ALIBABA_CLOUD_SECURITY_TOKEN,
  };
};

/** The real account; undefined when the tests run against the embedded one. */
export const realPlace: Place | undefined = ECS_CONFORMANCE === "real" ? readPlace() : undefined;
