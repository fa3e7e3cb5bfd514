// An HTTP request and response as plain values: no platform class is loaded for them.

export interface HttpRequest {
  readonly requestId: string;
  readonly method: string;
  /** Path as sent, percent-encoded, without the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded. The platform joins repeated parameters with a comma. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Address of the connection's other end, empty when the platform does not say. */
  readonly sourceIp: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Set where `body` is the bytes of a file in base64. */
  readonly encoding?: "base64";
}

/** A JSON answer. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}
