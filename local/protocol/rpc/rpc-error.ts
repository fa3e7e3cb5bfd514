// A refusal as RPC services answer it.

/** An error with the HTTP status and the code that go over the wire. */
export class RpcError extends Error {
  readonly status: number;
  readonly code: string;
  /** What was changed before the refusal stays; otherwise a refusal leaves nothing behind. */
  readonly keepsEffect: boolean;
  /** Why a permission was refused. */
  readonly accessDenied: Readonly<Record<string, string>> | undefined;

  constructor(refusal: {
    status: number;
    code: string;
    message: string;
    keepsEffect?: boolean;
    accessDenied?: Readonly<Record<string, string>>;
  }) {
    super(refusal.message);
    this.name = `RpcError ${refusal.code}`;
    this.status = refusal.status;
    this.code = refusal.code;
    this.keepsEffect = refusal.keepsEffect ?? false;
    this.accessDenied = refusal.accessDenied;
  }
}

/** The JSON body of a refusal. */
export const errorBody = (
  error: { code: string; message: string; accessDenied?: Readonly<Record<string, string>> | undefined },
  origin: { requestId: string; hostId: string; product: string },
): Record<string, unknown> => ({
  RequestId: origin.requestId,
  HostId: origin.hostId,
  Code: error.code,
  Message: error.message,
  ...(error.accessDenied === undefined ? {} : { AccessDeniedDetail: error.accessDenied }),
  Recommend: `https://api.aliyun.com/troubleshoot?q=${encodeURIComponent(error.code)}&product=${origin.product}&requestId=${origin.requestId}`,
});
