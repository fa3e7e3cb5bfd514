// Requests as a client of another make sends them: bytes over HTTP, signed by hand.
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import { decodeMessage, encodeMessage, type Messages } from "../../../local/protocol/tablestore/messages.ts";
import { type Cell, decodeRow, encodeRows } from "../../../local/protocol/tablestore/plain-buffer.ts";
import { integerVariant, Kind, stringVariant } from "../../../local/protocol/tablestore/variant.ts";
import { digestOf, type Fields, message, Received, requestSignature, rowBytes } from "./bytes.ts";
import { keys, realEndpoint } from "./real-account.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** What is sent; a header given as "" is left out. */
export interface RawRequest {
  readonly path: string;
  readonly body?: Buffer;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

/** Sends one request. */
export function send(url: string, options: RawRequest): Promise<Answer> {
  const body = options.body ?? Buffer.alloc(0);
  const headers: Record<string, string> = {
    "x-ots-accesskeyid": keys.accessKeyId,
    "x-ots-apiversion": "2015-12-31",
    "x-ots-contentmd5": digestOf(body),
    "x-ots-date": realEndpoint === undefined ? "2026-01-02T03:04:05.678Z" : new Date().toISOString(),
    "x-ots-instancename": keys.instance,
    ...options.headers,
  };
  headers["x-ots-signature"] ??= requestSignature(options.path, headers, keys.secret);
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
  return new Promise((resolve, reject) => {
    const outgoing = (url.startsWith("https:") ? requestOverTls : request)(
      `${url}${options.path}`,
      { method: options.method ?? "POST", headers: { ...sent, "content-length": body.length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Status, code and text of an error; "no error" when it is none. */
export function errorOf(answer: Answer): string {
  if (answer.status === 200) return "no error";
  const error = new Received(answer.body);
  return `${answer.status} ${error.text(1)} ${error.text(2)}`;
}

/** Calls an operation with a message; an error is thrown as its text. */
export async function call<Sent extends keyof Messages, Received extends keyof Messages>(
  url: string,
  operation: string,
  [name, message]: readonly [Sent, Messages[Sent]],
  received: Received,
): Promise<Messages[Received]> {
  const answer = await send(url, { path: `/${operation}`, body: encodeMessage(name, message) });
  if (answer.status !== 200) throw new Error(errorOf(answer));
  return decodeMessage(received, answer.body);
}

/** Calls an operation with a message of these fields; an error is thrown as its text. */
export async function callBytes(url: string, operation: string, fields: Fields): Promise<Received> {
  const answer = await send(url, { path: `/${operation}`, body: message(fields) });
  if (answer.status !== 200) throw new Error(errorOf(answer));
  return new Received(answer.body);
}

/** The key of a table that `createPairs` makes, as bytes. */
export const keyBytes = (a: string, b: number): Buffer => rowBytes({ a, b: BigInt(b) });

/** The text of the error a raw call fails with. */
export async function rawFailureOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => "no error",
    (error: Error) => error.message,
  );
}

/** A cell with a text or an integer. */
export const cell = (name: string, value: string | number): Cell => ({
  name,
  value: typeof value === "string" ? stringVariant(value) : integerVariant(BigInt(value)),
});

/** The bytes of one row of a key (a STRING, b INTEGER) and attributes. */
export const rowOf = (a: string, b: number, ...attributes: readonly Cell[]): Buffer =>
  encodeRows([{ primaryKey: [cell("a", a), cell("b", b)], attributes, deleteMarker: false }]);

/** Values of one row's cells, key first, integers as text. */
export function valuesOf(bytes: Buffer): string[] {
  const { primaryKey, attributes } = decodeRow(bytes);
  return [...primaryKey, ...attributes].map(({ value }) =>
    value?.kind === Kind.integer ? String(value.bytes.readBigInt64LE(0)) : String(value?.bytes),
  );
}
