// safeport as `npm start` deploys it, inside the test's process: the built bundles on the embedded cloud, with handles to look in.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, functionsOf, rolePolicyOf } from "../../cli/dev/deployment.ts";
import { newRoleTokens, type RoleTokens, setUpInstallation } from "../../cli/setup/installation.ts";
import { policyTextOf } from "../../cli/setup/policy-file.ts";
import type { CloudCall } from "../../local/call-ring.ts";
import { type Cloud, type CloudOptions, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import type { EcsRule } from "../../local/services/ecs/model.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { readSettings } from "../../shared/config/settings.ts";
import { builtProgram, projectRoot } from "./deployed-build.ts";
import { claimNetwork } from "./deployed-network.ts";

/** What a call of the API takes. A body that is text or bytes is sent as it is, anything else as JSON. */
export interface ApiInput {
  /** Default: the operator's; null for none. */
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; only its fields' presence is known. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape, and say what they expect of them.
  readonly body: any;
}

/** Settings of a deployment. */
export interface DeployedOptions extends Omit<CloudOptions, "ports" | "account" | "range" | "tableName"> {
  /** More of the functions' environment, such as `SAFEPORT_WAKEUPS`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The policy file's text; default: the one of `npm start`. */
  readonly policy?: string;
  /** The role is to be refused something; otherwise a refusal fails the tests of the deployment. */
  readonly refusals?: true;
  /** How old the account is when the program is deployed, in days: as old are its rules. */
  readonly ageDays?: number;
}

/** A running deployment. */
export interface Deployed {
  readonly cloud: Cloud;
  /** One for each role, for the principal of the role's name. */
  readonly tokens: RoleTokens;
  api(method: string, path: string, input?: ApiInput): Promise<ApiAnswer>;
  /** Calls to the cloud's services from a sequence number on. */
  calls(since?: number): readonly CloudCall[];
  /** Sequence number of the next call. */
  next(): number;
  /** Moves virtual time, and with it timers and wake-ups. */
  advance(ms: number): Promise<void>;
  groupId(name: string): string;
  instanceId(name: string): string;
  /** Rules of a group as the cloud has them now. */
  rules(group: string): readonly EcsRule[];
  /** Writes tokens that expire so many days from now. */
  issue(tokens: RoleTokens, tokenDays: number): Promise<void>;
  stop(): Promise<void>;
}

const TOKEN_DAYS = 365;
const POLICY_FILE = "cli/dev/policy.yaml";

/** Deploys on a cloud of its own: own ports, own addresses, virtual time that stands still until `advance`. */
export async function deploy(options: DeployedOptions = {}): Promise<Deployed> {
  const { environment = {}, policy, refusals, ageDays = 0, ...cloudOptions } = options;
  const program = await builtProgram();
  const { network, release } = await claimNetwork();
  const seeded = seedAccount(seededRandom("safeport seeded account"));
  const instances = seeded.instances.map((instance) => ({
    ...instance,
    address: instance.address.replace(/^127\.10\./, `${network}.`),
  }));
  const cloud = await startCloud({
    engine: "userspace",
    startMs: systemClock.now() - ageDays * 86_400_000,
    harnessPath: join(program, "dist", "local", "instance-harness.js"),
    ...cloudOptions,
    account: { ...seeded, instances },
    range: `${network}.0.0/16`,
    tableName: `safeport_test_${network.replace(".", "_")}`,
  });
  const stop = async (): Promise<void> => {
    await cloud.stop();
    release();
  };
  try {
    if (ageDays > 0) await cloud.advance(ageDays * 86_400_000);
    const secrets = { ...SECRETS, tokens: newRoleTokens() };
    const variables = { ...environmentOf(cloud, secrets), ...environment };
    const deployer = seedUser(cloud.account, seedUserNames.admin);
    const policyText = policyTextOf(policy ?? readFileSync(join(projectRoot, POLICY_FILE), "utf8"), POLICY_FILE);
    const issue = async (tokens: RoleTokens, tokenDays: number): Promise<void> => {
      await setUpInstallation({
        configuration: readSettings(variables),
        credentials: { accessKeyId: deployer.accessKeyId, accessKeySecret: deployer.accessKeySecret },
        policyText,
        tokens,
        tokenDays,
      });
    };
    await issue(secrets.tokens, TOKEN_DAYS);
    cloud.ram.attach(seedUserNames.role, [rolePolicyOf(variables)]);
    cloud.deploy(functionsOf(cloud, secrets, { dist: join(program, "dist"), environment }));
    const stopWell = async (): Promise<void> => {
      const refused = cloud.ram.used().filter((it) => it.principal === seedUserNames.role && it.denied > 0);
      await stop();
      if (refusals === undefined && refused.length > 0)
        throw new Error(
          `the functions' role lacks ${refused.map(({ action, resources }) => `${action} on ${resources.join()}`).join("; ")}: cli/setup/ram-policy.ts`,
        );
    };
    return { ...handlesOf(cloud, secrets.tokens), issue, stop: stopWell };
  } catch (error) {
    await stop();
    throw error;
  }
}

const SECRETS = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };

function handlesOf(cloud: Cloud, tokens: RoleTokens): Omit<Deployed, "issue" | "stop"> {
  const groupId = (name: string): string => found(cloud.account.groups, name).groupId;
  return {
    cloud,
    tokens,
    api: (method, path, input) => callApi(cloud.endpoints.api, method, path, { token: tokens.operator, ...input }),
    calls: (since = 0) => cloud.calls.since(since).calls,
    next: () => cloud.calls.since(Number.MAX_SAFE_INTEGER).next,
    advance: (ms) => cloud.advance(ms),
    groupId,
    instanceId: (name) => found(cloud.account.instances, name).instanceId,
    rules: (group) => cloud.ecs.groups().find((it) => it.groupId === groupId(group))?.rules ?? [],
  };
}

function found<Item extends { readonly name: string }>(items: readonly Item[], name: string): Item {
  const item = items.find((it) => it.name === name);
  if (item === undefined) throw new Error(`the seeded account has no ${name}`);
  return item;
}

/** Calls an API on loopback and reads its JSON; null where the answer has no body. */
export async function callApi(base: string, method: string, path: string, input: ApiInput = {}): Promise<ApiAnswer> {
  const { token, body, headers } = input;
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(base + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

/** Calls in words, for a failing test to show. */
export function inWords(calls: readonly CloudCall[]): string {
  return calls
    .map(({ seq, service, operation, status, code, params }) =>
      [seq, service, operation, params?.["table"] ?? "", status, code ?? ""].join(" "),
    )
    .join("\n");
}

/**
 * Calls that change something. The budget of calls and the last use of a token are no state of the product: reading a group is booked
 * there too, and every hour's first request.
 */
export function writesOf(calls: readonly CloudCall[]): readonly CloudCall[] {
  const isNoted = ({ operation, params }: CloudCall): boolean =>
    params?.["table"] === "budget" || (operation === "UpdateRow" && params?.["table"] === "token");
  return calls.filter((call) => !/^(Describe|Get|BatchGet|List)/.test(call.operation) && !isNoted(call));
}
