// The conformance tests against a real account: a service's tests go there with `<SERVICE>_CONFORMANCE=real`, in the region and with
// the key that `ALIBABA_CLOUD_REGION`, `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET` name, with
// `ALIBABA_CLOUD_SECURITY_TOKEN` for a key that a role lends.

/** Where the tests run and as whom. */
export interface Place {
  /** `http://` or `https://`, and the host. */
  readonly url: string;
  readonly regionId: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
}

/** Whether the service's tests run against a real account. */
export const isReal = (service: string): boolean => process.env[`${service}_CONFORMANCE`] === "real";

/** A variable that a run against the real service needs; throws without. */
export function needed(service: string, name: string): string {
  const value = process.env[name] ?? "";
  if (value === "") throw new Error(`${service}_CONFORMANCE=real needs ${name}.`);
  return value;
}

/** The place in a real account; undefined when the service's tests run against the embedded one. */
export function realPlaceOf(service: string, hostIn: (regionId: string) => string): Place | undefined {
  if (!isReal(service)) return undefined;
  const regionId = needed(service, "ALIBABA_CLOUD_REGION");
  return {
    url: process.env[`ALIBABA_CLOUD_${service}_ENDPOINT`] ?? `https://${hostIn(regionId)}`,
    regionId,
    accessKeyId: needed(service, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    accessKeySecret: needed(service, "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    securityToken: process.env["ALIBABA_CLOUD_SECURITY_TOKEN"],
  };
}
