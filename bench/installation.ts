// safeport on an embedded cloud of its own: freshly built bundles, deployed as `npm start` deploys them, on ports the machine chooses.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuiltFile } from "../cli/build.mjs";
import { environmentOf, functionsOf } from "../cli/dev/deployment.ts";
import { keptSecrets } from "../cli/dev/secrets.ts";
import { setUpInstallation } from "../cli/setup/installation.ts";
import { policyTextOf } from "../cli/setup/policy-file.ts";
import { type Cloud, startCloud } from "../local/cloud.ts";
import { seededRandom } from "../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../local/seed.ts";
import { readSettings } from "../shared/config/settings.ts";

const ROOT = dirname(import.meta.dirname);
const POLICY_FILE = join(ROOT, "cli", "dev", "policy.yaml");
/** A block that neither `npm start` nor the tests use. */
const NETWORK = "127.93";

/** Hundreds of leases are opened within a minute; the budget of calls, which spares the real service, would refuse most. Ends never ask it. */
const UNHURRIED = { SAFEPORT_CALLS_PER_MINUTE: "100000" };

/** What a bench asks for. */
export interface InstallationOrder {
  /** Groups with one instance each, beside the seeded ones. */
  readonly groups: number;
  /** Added to the functions' environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Makes the policy's text of that of `npm start`. */
  readonly policy?: (text: string) => string;
  /** As many processes of one function at most; default: the embedded cloud's own. */
  readonly instancesMax?: number;
  /** Leaves the timer out, so that no tick falls into a measurement. */
  readonly timer?: boolean;
  /** Runs `api` inside `timed-handler.ts`, which appends one line per invocation to this file. */
  readonly timings?: string;
}

/** A running installation. */
export interface Installation {
  readonly cloud: Cloud;
  /** Ids of the groups that were asked for. */
  readonly groupIds: readonly string[];
  /** Where alarms are posted to. */
  readonly alarmWebhook: string;
  /** Sends one request with the admin's token; the answer's status and parsed body. */
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** What the timer does each minute. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** Freshly built bundles: their folder, and the size of each file. */
export interface Built {
  readonly dist: string;
  readonly sizes: readonly BuiltFile[];
}

/** Builds the bundles into `folder/dist`. */
export async function buildInto(folder: string): Promise<Built> {
  // Not at the top: the build is an ES module with a top-level await, which a CommonJS file cannot require.
  const { build, bundleFunction } = await import("../cli/build.mjs");
  const dist = join(folder, "dist");
  const { sizes } = await build(dist);
  await bundleFunction(join(ROOT, "bench", "timed-handler.ts"), join(dist, "timed-api", "index.js"));
  await bundleFunction(join(ROOT, "bench", "full-pass-client.ts"), join(dist, "full-pass-client", "index.js"));
  return { dist, sizes };
}

/** A folder that goes with `work`, or with the process when that ends first. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "safeport-bench-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** Starts the cloud, sets safeport up in it and deploys the functions. */
export async function startInstallation({ dist }: Built, order: InstallationOrder): Promise<Installation> {
  const { account, groupIds } = accountOf(order.groups);
  const cloud = await startCloud({
    account,
    engine: "userspace",
    range: `${NETWORK}.0.0/16`,
    harnessPath: join(dist, "local", "instance-harness.js"),
  });
  try {
    return await deploy(cloud, dist, groupIds, order);
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

async function deploy(
  cloud: Cloud,
  dist: string,
  groupIds: readonly string[],
  order: InstallationOrder,
): Promise<Installation> {
  const secrets = await inFolder(async (home) => keptSecrets(home));
  const added = { ...UNHURRIED, ...order.environment };
  const environment = { ...environmentOf(cloud, secrets), ...added };
  const deployer = seedUser(cloud.account, seedUserNames.admin);
  await setUpInstallation({
    configuration: readSettings(environment),
    credentials: { accessKeyId: deployer.accessKeyId, accessKeySecret: deployer.accessKeySecret },
    policyText: policyTextOf((order.policy ?? ((text) => text))(readFileSync(POLICY_FILE, "utf8")), POLICY_FILE),
    tokens: secrets.tokens,
    tokenDays: 1,
  });
  const functions = functionsOf(cloud, secrets, { dist, environment: added }).map((definition) => {
    const { instancesMax } = order;
    const { triggers = [], ...own } = definition;
    const rest = instancesMax === undefined ? own : { ...own, instancesMax };
    const kept = order.timer === false ? triggers.filter(({ type }) => type !== "timer") : triggers;
    if (order.timings === undefined || rest.name !== "api") return { ...rest, triggers: kept };
    const timed = { BENCH_BUNDLE: rest.bundle, BENCH_TIMINGS: order.timings };
    return { ...rest, triggers: kept, bundle: join(dist, "timed-api"), environment: { ...rest.environment, ...timed } };
  });
  cloud.deploy(functions);
  const headers = { authorization: `Bearer ${secrets.tokens.admin}`, "content-type": "application/json" };
  return {
    cloud,
    groupIds,
    alarmWebhook: `${cloud.endpoints.api}/alarm/${secrets.alarmSecret}`,
    async call(method, path, body) {
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
      const response = await fetch(`${cloud.endpoints.api}${path}`, init);
      return { status: response.status, body: await response.json() };
    },
    tick: async () => {
      const event = { triggerTime: new Date(cloud.clock.now()).toISOString(), triggerName: "minute", payload: "" };
      await cloud.functions.registry.invoke("sweep", Buffer.from(JSON.stringify(event)));
    },
    stop: () => cloud.stop(),
  };
}

/** The seeded account on the bench's own addresses, with `count` groups of one instance each added. */
function accountOf(count: number): {
  readonly account: ReturnType<typeof seedAccount>;
  readonly groupIds: readonly string[];
} {
  const seeded = seedAccount(seededRandom("safeport bench"));
  const numbers = Array.from({ length: count }, (_, index) => index);
  const groupIds = numbers.map((index) => `sg-bench${`${index}`.padStart(14, "0")}`);
  const account = {
    ...seeded,
    groups: [...seeded.groups, ...groupIds.map((groupId, index) => ({ groupId, name: `bench-${index}`, rules: [] }))],
    instances: [
      ...seeded.instances.map((instance) => ({
        ...instance,
        address: instance.address.replace(/^127\.10\./, `${NETWORK}.`),
        // The bench opens rules, not connections.
        listening: [],
      })),
      ...groupIds.map((groupId, index) => ({
        instanceId: `i-bench${`${index}`.padStart(14, "0")}`,
        name: `bench-${index}`,
        address: `${NETWORK}.1.${index + 1}`,
        groupIds: [groupId],
        listening: [],
      })),
    ],
  };
  return { account, groupIds };
}
