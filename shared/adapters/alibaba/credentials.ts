// Who we are towards the cloud.

/** An access key, with the token that goes with it when it is a temporary one. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
}

/** Asked before every call: temporary keys change while the process lives. */
export type CredentialSource = () => Credentials;
