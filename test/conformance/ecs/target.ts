// The account that the tests of operations run in, embedded or real: an official client and calls by bytes, which can change
// nothing but what they made themselves, and which take all of that away when the test ends.
import * as sdk from "@alicloud/ecs20140526";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import { onTestFinished } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { machineRandom } from "../../../local/random.ts";
import { startEcs } from "../../../local/services/ecs/start-ecs.ts";
import { type RawAnswer, type RawCall, sendParts, signed } from "./raw.ts";
import { type Place, realPlace } from "./real-account.ts";
import { Client, placeOf, seed, startedAt } from "./world.ts";

/** Ids that no resource has. Calls may name them, as nothing can happen to them. */
export const nobody = {
  group: "sg-nobody",
  rule: "sgr-nobody",
  prefixList: "pl-nobody",
  portList: "prl-nobody",
  instance: "i-nobody",
  command: "c-nobody",
  invocation: "t-nobody",
} as const;

/** What a test is given. */
export interface Target {
  readonly place: Place;
  readonly client: sdk.default;
  /** One call by bytes; parameters without a region get the place's. */
  call(
    action: string,
    query?: Readonly<Record<string, string>>,
    more?: Omit<RawCall, "action" | "query">,
  ): Promise<RawAnswer>;
  /** A new group of its own. */
  group(more?: Partial<sdk.CreateSecurityGroupRequest>): Promise<string>;
}

const idForm = /^(sg|pl|prl|i|eni)-/;
const reads = /^(Describe|List)/;
const writes =
  /^(Create|Delete|Modify)(SecurityGroup|PrefixList|PortRangeList)|^(Authorize|Revoke)SecurityGroup|^(Tag|Untag)Resources$/;
/** Calls of Cloud Assistant: they may name what nobody has, and nothing else. */
const assistantWrites = /^(RunCommand|InvokeCommand|StopInvocation)$/;
const assistantNames = /^(InstanceId\.\d+|CommandId|InvokeId)$/;
const idNames = ["SecurityGroupId", "PrefixListId", "PortRangeListId"] as const;

/** What was made, and the refusal to touch anything else. */
class Own {
  readonly ids = new Set<string>();

  check(action: string, parameters: Readonly<Record<string, unknown>>): void {
    if (reads.test(action)) return;
    if (assistantWrites.test(action)) {
      checkNobody(action, parameters);
      return;
    }
    if (!writes.test(action))
      throw new Error(`The tests do not call ${action} where it could change what is not theirs.`);
    const known: string[] = Object.values(nobody);
    const foreign = Object.values(parameters).find(
      (value) => idForm.test(String(value)) && !this.ids.has(String(value)) && !known.includes(String(value)),
    );
    if (foreign !== undefined) throw new Error(`The tests did not make ${String(foreign)} and do not touch it.`);
  }

  take(action: string, body: Readonly<Record<string, unknown>>): void {
    if (!action.startsWith("Create")) return;
    for (const name of idNames) if (typeof body[name] === "string") this.ids.add(body[name]);
  }
}

function checkNobody(action: string, parameters: Readonly<Record<string, unknown>>): void {
  const named = Object.entries(parameters).filter(([name]) => assistantNames.test(name));
  const harmless: unknown[] = Object.values(nobody);
  if (named.length === 0 || named.some(([, value]) => !harmless.includes(value)))
    throw new Error(`The tests do not call ${action} where it could change what is not theirs.`);
}

class OwnClient extends Client {
  readonly #own: Own;

  constructor(place: Place, own: Own) {
    const { protocol, host } = new URL(place.url);
    const { accessKeyId, accessKeySecret, securityToken, regionId } = place;
    const keys = { accessKeyId, accessKeySecret, ...(securityToken === undefined ? {} : { securityToken }) };
    super(new $OpenApiUtil.Config({ ...keys, regionId, endpoint: host, protocol: protocol.slice(0, -1) }));
    this.#own = own;
  }

  override async callApi(...args: Parameters<sdk.default["callApi"]>): Promise<Record<string, unknown>> {
    const [{ action = "" }, request] = args;
    this.#own.check(action, request.query ?? {});
    const answer = (await super.callApi(...args)) as Record<string, unknown>;
    this.#own.take(action, (answer["body"] ?? {}) as Record<string, unknown>);
    return answer;
  }
}

const startEmbedded = async (): Promise<Place> => {
  const clock = new CloudClock({ startMs: startedAt });
  const ecs = await startEcs({ seed, clock, random: machineRandom() });
  onTestFinished(() => ecs.stop());
  return placeOf(ecs);
};

const removals = [
  ["sg-", "DeleteSecurityGroup", "SecurityGroupId"],
  ["pl-", "DeletePrefixList", "PrefixListId"],
  ["prl-", "DeletePortRangeList", "PortRangeListId"],
] as const;

/** Deletes all that is left; a group that another one names goes after that one. */
const removeAll = async (own: Own, remove: (action: string, query: Record<string, string>) => Promise<RawAnswer>) => {
  let refusal = "";
  for (let pass = 0; own.ids.size > 0 && pass < 5; pass++) {
    for (const [prefix, action, name] of removals) {
      for (const id of [...own.ids].filter((each) => each.startsWith(prefix))) {
        const { status, body } = await remove(action, { [name]: id });
        if (status === 200 || /NotFound$/.test(String(body["Code"]))) own.ids.delete(id);
        else refusal = `${action}: ${String(body["Code"])}`;
      }
    }
  }
  if (own.ids.size > 0) throw new Error(`These are left behind: ${[...own.ids].join(", ")} (${refusal})`);
};

/** The account, for one test. */
export const aTarget = async (): Promise<Target> => {
  const place = realPlace ?? (await startEmbedded());
  const own = new Own();
  const client = new OwnClient(place, own);
  const call: Target["call"] = async (action, query = {}, more = {}) => {
    const parameters = { RegionId: place.regionId, ...query };
    own.check(action, { ...parameters, ...more.form });
    const answer = await sendParts(place, signed(place, { action, query: parameters, ...more }));
    own.take(action, answer.body);
    return answer;
  };
  onTestFinished(() => removeAll(own, call));
  const group: Target["group"] = async (more = {}) => {
    const { regionId, vpcId } = place;
    const request = { regionId, vpcId, securityGroupName: "conformance", description: "made by a test", ...more };
    const { body } = await client.createSecurityGroup(new sdk.CreateSecurityGroupRequest(request));
    return body?.securityGroupId ?? "";
  };
  return { place, client, call, group };
};

/** Status and code of an answer by bytes. */
export const outcomeOf = ({ status, body }: RawAnswer): string => `${status} ${String(body["Code"] ?? "OK")}`;
