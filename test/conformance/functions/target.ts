// Function Compute for the tests of its API: one function that answers what it is sent, embedded or in a real account.
import { Readable } from "node:stream";
import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import { it } from "vitest";
import { type RawAnswer, sendParts, signed } from "../ecs/raw.ts";
import { isReal, needed, type Place, realPlaceOf } from "../real-account.ts";
import { bundle, KEY, startWorld } from "./kit.ts";

/** The code of the function that a real run needs: it answers what it is sent, and fails when that is `throw`. */
export const ECHO = `exports.handler = async (event) => {
  if (event.toString() === "throw") throw new TypeError("no");
  return event.toString();
};`;

type Headers = Readonly<Record<string, string>>;

/** What a call came to. */
export interface Invocation {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The function of the tests, and the ways to call it. */
export interface EchoTarget {
  readonly name: string;
  /** By the official core, as the SDK of version 2023-03-30 calls it. Rejects with `statusCode` and `code`. */
  call(body: string, headers?: Headers, name?: string): Promise<Invocation>;
  /** The same by bytes. */
  raw(body: string, headers?: Headers, name?: string): Promise<RawAnswer>;
  /** By bytes, and signed with another secret. */
  rawWrong(body: string): Promise<RawAnswer>;
  /** GetFunction by the official core. Rejects as `call` does. */
  describe(name?: string): Promise<Readonly<Record<string, unknown>>>;
  /** The same by bytes. */
  rawDescribe(name?: string): Promise<RawAnswer>;
  /** Puts the function there once more, with this environment. The embedded service alone. */
  deployAgain(environment: Headers): void;
}

const VERSION = "2023-03-30";
const functionPath = (name: string): string => `/${VERSION}/functions/${name}`;
const pathOf = (name: string): string => `${functionPath(name)}/invocations`;

/** For tests of what only the embedded service lets a test do: its clock, its own functions and faults. */
export const itEmbedded = it.skipIf(isReal("FC"));

/** The function, for one test. Nothing is made in a real account but invocations of it. */
export async function anEcho(): Promise<EchoTarget> {
  const real = realPlaceOf("FC", (regionId) => `fcv3.${regionId}.aliyuncs.com`);
  const { place, deployAgain } = real === undefined ? await embedded() : { place: real, deployAgain: onlyEmbedded };
  const own = real === undefined ? "echo" : needed("FC", "ALIBABA_CLOUD_FC_FUNCTION");
  const client = clientOf(place);
  const send = (from: Place, body: string, headers: Headers = {}, name = own): Promise<RawAnswer> =>
    sendParts(from, signed(from, { action: "InvokeFunction", version: VERSION, path: pathOf(name), body, headers }));
  return {
    name: own,
    call: async (body, headers = {}, name = own) => {
      const params = new $OpenApiUtil.Params({
        ...{ action: "InvokeFunction", version: VERSION, protocol: "HTTPS", pathname: pathOf(name), method: "POST" },
        ...{ authType: "AK", style: "ROA", reqBodyType: "json", bodyType: "binary" },
      });
      const request = new $OpenApiUtil.OpenApiRequest({
        headers: { ...headers },
        stream: Readable.from([Buffer.from(body)]),
      });
      const answer = (await client.callApi(params, request, {} as never)) as {
        readonly body: AsyncIterable<Buffer>;
        readonly headers: Headers;
        readonly statusCode: number;
      };
      const chunks: Buffer[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() };
    },
    raw: (body, headers, name) => send(place, body, headers, name),
    rawWrong: (body) => send({ ...place, accessKeySecret: "wrong" }, body),
    describe: async (name = own) => {
      const params = new $OpenApiUtil.Params({
        ...{ action: "GetFunction", version: VERSION, protocol: "HTTPS", pathname: functionPath(name), method: "GET" },
        ...{ authType: "AK", style: "ROA", reqBodyType: "json", bodyType: "json" },
      });
      const answer = await client.callApi(params, new $OpenApiUtil.OpenApiRequest({}), {} as never);
      return (answer as { readonly body: Readonly<Record<string, unknown>> }).body;
    },
    rawDescribe: (name = own) => {
      const call = { action: "GetFunction", version: VERSION, method: "GET", path: functionPath(name) };
      return sendParts(place, signed(place, call));
    },
    deployAgain,
  };
}

async function embedded(): Promise<{ place: Place; deployAgain: (environment: Headers) => void }> {
  const { fc } = await startWorld();
  const code = bundle(ECHO);
  fc.registry.deploy({ name: "echo", bundle: code });
  return {
    place: { url: `http://127.0.0.1:${fc.apiPort}`, regionId: "cn-hangzhou", ...KEY },
    deployAgain: (environment) => fc.registry.deploy({ name: "echo", bundle: code, environment }),
  };
}

function onlyEmbedded(): never {
  throw new Error("nothing is deployed in a real account");
}

function clientOf({ url, regionId, accessKeyId, accessKeySecret, securityToken }: Place): OpenApiClient {
  const { protocol, host } = new URL(url);
  const sts = securityToken === undefined ? {} : { securityToken, type: "sts" };
  const where = { endpoint: host, protocol: protocol.slice(0, -1) };
  return new OpenApiClient(new $OpenApiUtil.Config({ accessKeyId, accessKeySecret, regionId, ...sts, ...where }));
}
