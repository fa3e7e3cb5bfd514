// One call, mostly a POST, to an address that people have written down: to the public internet alone, in bounded time, following nobody.
import type { LookupAddress } from "node:dns";
import type { RequestOptions } from "node:https";
import type { LookupFunction } from "node:net";
import { withDeadline } from "../system/deadline.ts";
import { isPublicAddress } from "./public-address.ts";

/** Thrown when nothing was sent, and nothing will be as long as address and settings stay. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

export interface PostRequest {
  /** POST by default. */
  readonly method?: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly withinMs: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
}

/** Resolves a name as the system does; replaced by tests. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface PostSettings {
  /** Hosts, as `name` or `name:port`, that may be private and may be reached without TLS. */
  readonly privateHosts: readonly string[];
  readonly resolve?: Resolve;
}

/** More of an answer is not read. */
const ANSWER_MAX = 64 * 1024;

const systemResolve: Resolve = async (host) => {
  const { lookup } = await import("node:dns/promises");
  return lookup(host, { all: true });
};

/**
 * Posts and reads the answer. The address is judged where the connection is made: the very addresses that were judged are connected to,
 * so that a name cannot mean another one a moment later. Throws AddressRefused, and plain errors without the address when no answer comes.
 */
export async function httpsPost(request: PostRequest, settings: PostSettings): Promise<PostAnswer> {
  const url = new URL(request.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isNamed = settings.privateHosts.some((it) => it === host || it === url.host);
  if (url.protocol !== "https:" && !(isNamed && url.protocol === "http:"))
    throw new AddressRefused("the address is not https");
  if (url.username !== "" || url.password !== "") throw new AddressRefused("the address carries a user or password");
  const resolve = settings.resolve ?? systemResolve;
  const judged = async (name: string): Promise<readonly LookupAddress[]> => {
    const addresses = await resolve(name);
    // One that is not public makes the whole name suspect: whoever answers for it chooses the order.
    if (!isNamed && !addresses.every(({ address }) => isPublicAddress(address)))
      throw new AddressRefused("the host has an address that is not public");
    return addresses;
  };
  const lookup: LookupFunction = (name, options, done) => {
    judged(name).then(
      (addresses) => {
        const fitting = addresses.filter(({ family }) => !options.family || options.family === family);
        const [first] = fitting;
        if (!first) done(new Error("the host has no address"), "", 0);
        else if (options.all) done(null, [...fitting]);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, "", 0),
    );
  };
  const { isIP } = await import("node:net");
  // Nothing is looked up for an address.
  if (isIP(host) !== 0 && !isNamed && !isPublicAddress(host)) throw new AddressRefused("the address is not public");
  const { request: open } = url.protocol === "http:" ? await import("node:http") : await import("node:https");
  const options: RequestOptions = {
    method: request.method ?? "POST",
    lookup,
    headers: { ...request.headers, "content-length": String(Buffer.byteLength(request.body)) },
    // A connection that was kept was judged for an earlier message.
    agent: false,
    minVersion: "TLSv1.2",
  };
  let cut = (): void => undefined;
  const answered = new Promise<PostAnswer>((done, failed) => {
    const call = open(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        const retryAfter = response.headers["retry-after"] ?? null;
        done({ status: response.statusCode ?? 0, retryAfter, body: Buffer.concat(chunks).toString("utf8") });
      };
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= ANSWER_MAX) chunks.push(chunk);
        else {
          finish();
          call.destroy();
        }
      });
      response.on("end", finish);
      response.on("error", failed);
      response.on("aborted", () => failed(new Error("the answer was cut off")));
    });
    cut = () => call.destroy();
    call.on("error", failed);
    call.end(request.body);
  });
  try {
    return await withDeadline(request.withinMs, answered, () => new Error("no answer in time"));
  } catch (error) {
    throw error instanceof AddressRefused ? error : new Error(reasonOf(error));
  } finally {
    cut();
  }
}

/** Reads a document of JSON, by the same rules. Rejects when the answer is none. */
export async function httpsGet(url: string, settings: PostSettings, withinMs: number): Promise<unknown> {
  const request = { method: "GET", url, headers: { accept: "application/json" }, body: "", withinMs } as const;
  const { status, body } = await httpsPost(request, settings);
  if (status !== 200) throw new Error(`the answer has the status ${status}`);
  return JSON.parse(body);
}

/** A system error's message may name the address; its code does not. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? `the connection failed (${code})` : message;
}
