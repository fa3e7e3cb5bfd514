// The fields of what the platform and an instance's process say to each other over their channel. Types only: both ends are bundled apart.

/** Temporary keys of the function's role. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken: string;
}

/** The part of the handler's context that differs per call or is too long for the environment. */
export interface ContextFields {
  readonly requestId: string;
  readonly retryCount: number;
  readonly credentials: RoleCredentials;
  readonly region: string;
  readonly accountId: string;
  readonly function: {
    readonly name: string;
    readonly handler: string;
    readonly memory: number;
    readonly timeout: number;
  };
}

/** Platform to instance, with the event as its bytes: run the handler once. `offsetMs` is the cloud's time minus the machine's. */
export interface InvokeMessage {
  readonly kind: "invoke";
  readonly context: ContextFields;
  readonly offsetMs: number;
}

/** Platform to instance: run the hook `preStop`, if there is one and anything was loaded. */
export interface StopMessage {
  readonly kind: "stop";
  readonly context: ContextFields;
  readonly offsetMs: number;
}

/** Instance to platform, with the answer or the error as its bytes. `loadMs` is how long loading and initialising took, on the first answer alone. */
export type InstanceMessage =
  | { readonly kind: "result"; readonly loadMs?: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failure" };
