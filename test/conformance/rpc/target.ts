// The account that the tests of a small RPC service run in, embedded or real: calls by the official RPC core and by bytes, which can
// change nothing but what they made themselves, and which take all of that away when the test ends.
import { randomBytes } from "node:crypto";
import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import { it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { type RawAnswer, sendParts, signed } from "../ecs/raw.ts";
import { isReal, type Place, realPlaceOf } from "../real-account.ts";

export type Query = Readonly<Record<string, string>>;
export type Body = Record<string, unknown>;

/** What the tests may do at a service. */
export interface RpcService {
  /** Of the embedded cloud's endpoint; in capitals, of the environment's variables. */
  readonly name: "vpc" | "cms" | "ram" | "actiontrail";
  readonly version: string;
  readonly hostIn: (regionId: string) => string;
  /** Calls that make something: its name, from the parameters and the answer, and the call that removes it. */
  readonly makes: Readonly<Record<string, (query: Query, body: Body) => Made>>;
  /** Calls that change what there is, or make it anew, and the parameters that name it. Others than these and `makes` are not made. */
  readonly changes: Readonly<Record<string, RegExp>>;
}

/** Something that a test made. */
export interface Made {
  readonly name: string;
  readonly removal: { readonly action: string; readonly query: Query };
}

/** What a test is given. */
export interface RpcTarget {
  /** Part of every name that the test gives. */
  readonly tag: string;
  readonly regionId: string;
  /** A call by the official RPC core; answers the body. */
  call(action: string, query?: Query): Promise<Body>;
  /** The same by bytes. */
  raw(action: string, query?: Query): Promise<RawAnswer>;
  /** The embedded cloud; for tests that `itEmbedded` marks. */
  readonly cloud: Cloud;
}

/** In names that nothing has. Calls may name them, as nothing can happen to them. */
export const NOBODY = "nobody";

/** For tests of what only the embedded service lets a test do: its clock, switches, seed and faults. */
export const itEmbedded = (service: string) => it.skipIf(isReal(service));

/** On the edge of a window of ten minutes. */
export const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);

/** The account, for one test. */
export async function aTarget(service: RpcService): Promise<RpcTarget> {
  const real = realPlaceOf(service.name.toUpperCase(), service.hostIn);
  const cloud = real === undefined ? await embedded() : undefined;
  const place = real ?? placeIn(cloud as Cloud, service.name);
  const own = new Own(service);
  const { regionId } = place;
  const client = clientOf(place);
  const params = (action: string) =>
    new $OpenApiUtil.Params({
      ...{ action, version: service.version, protocol: "HTTPS", pathname: "/", method: "POST", authType: "AK" },
      ...{ style: "RPC", reqBodyType: "formData", bodyType: "json" },
    });
  const call: RpcTarget["call"] = async (action, query = {}) => {
    const sent = { RegionId: regionId, ...query };
    own.check(action, sent);
    const request = new $OpenApiUtil.OpenApiRequest({ query: sent });
    const { body } = (await client.callApi(params(action), request, {} as never)) as { readonly body: Body };
    own.take(action, sent, body);
    return body;
  };
  const send = (action: string, query: Query): Promise<RawAnswer> =>
    sendParts(place, signed(place, { action, version: service.version, query }));
  const raw: RpcTarget["raw"] = async (action, query = {}) => {
    const sent = { RegionId: regionId, ...query };
    own.check(action, sent);
    const answer = await send(action, sent);
    if (answer.status === 200) own.take(action, sent, { ...answer.body });
    return answer;
  };
  onTestFinished(() => own.removeAll((action, query) => send(action, { RegionId: regionId, ...query })));
  return {
    ...{ tag: own.tag, regionId, call, raw },
    get cloud() {
      if (cloud === undefined) throw new Error("only the embedded cloud is in the test's hands");
      return cloud;
    },
  };
}

/** What was made, and the refusal to touch anything else. */
class Own {
  readonly tag = `conformance${randomBytes(4).toString("hex")}`;
  readonly #service: RpcService;
  #made: Made[] = [];

  constructor(service: RpcService) {
    this.#service = service;
  }

  check(action: string, query: Query): void {
    if (/^(Get|List|Describe|Lookup)/.test(action)) return;
    const named = this.#service.changes[action];
    if (named === undefined && action in this.#service.makes) return;
    if (named === undefined) throw new Error(`The tests do not call ${action}.`);
    const foreign = Object.entries(query).find(([name, value]) => named.test(name) && !this.#isOwn(value));
    if (foreign !== undefined) throw new Error(`The tests did not make ${foreign[1]} and do not touch it.`);
  }

  take(action: string, query: Query, body: Body): void {
    const made = this.#service.makes[action]?.(query, body);
    if (made !== undefined) this.#made.push(made);
  }

  async removeAll(send: (action: string, query: Query) => Promise<RawAnswer>): Promise<void> {
    for (const { name, removal } of this.#made.reverse()) {
      const { status, body } = await send(removal.action, removal.query);
      const code = String(body["Code"]);
      if (status !== 200 && !/NotFound|NotExist/.test(code)) throw new Error(`${name} is left behind (${code}).`);
    }
    this.#made = [];
  }

  #isOwn(value: string): boolean {
    return value.includes(this.tag) || value.includes(NOBODY) || this.#made.some(({ name }) => name === value);
  }
}

async function embedded(): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.127.0.0/16", engine: "userspace", startMs: START_MS });
  onTestFinished(() => cloud.stop());
  return cloud;
}

const placeIn = (cloud: Cloud, name: RpcService["name"]): Place => ({
  url: `http://${cloud.endpoints[name]}`,
  regionId: cloud.account.regionId,
  ...seedUser(cloud.account, "admin"),
});

function clientOf({ url, regionId, accessKeyId, accessKeySecret, securityToken }: Place): OpenApiClient {
  const { protocol, host } = new URL(url);
  const sts = securityToken === undefined ? {} : { securityToken, type: "sts" };
  return new OpenApiClient(
    new $OpenApiUtil.Config({
      ...{ accessKeyId, accessKeySecret, regionId, ...sts },
      ...{ endpoint: host, protocol: protocol.slice(0, -1) },
    }),
  );
}

/** Status and code of an answer by bytes. */
export const outcomeOf = ({ status, body }: RawAnswer): string => `${status} ${String(body["Code"] ?? "OK")}`;
