// Builds the real parts of the program, once per process. The only file of the product that reads the environment.
import { OidcTokens } from "../shared/access/oidc.ts";
import { actionTrail } from "../shared/adapters/alibaba/action-trail.ts";
import { callBudget } from "../shared/adapters/alibaba/call-budget.ts";
import { ecsFirewall } from "../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../shared/adapters/alibaba/ecs-inventory.ts";
import { fcWakeup } from "../shared/adapters/alibaba/fc-wakeup.ts";
import {
  actionTrailRpcClient,
  cloudMonitorRpcClient,
  ecsRpcClient,
  type RpcClient,
  type RpcSettings,
  vpcRpcClient,
} from "../shared/adapters/alibaba/rpc-client.ts";
import { tablestoreTables } from "../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../shared/adapters/system/clock.ts";
import { consoleLog } from "../shared/adapters/system/log.ts";
import { systemRandom } from "../shared/adapters/system/random.ts";
import {
  type Configuration,
  type Credentials,
  environmentCredentials,
  readSettings,
  SettingsError,
} from "../shared/config/settings.ts";
import { fail } from "../shared/errors/app-error.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { KeySets } from "../shared/ports/key-sets.ts";
import type { Wakeup } from "../shared/ports/wakeup.ts";
import { tableBudgets } from "../shared/store/budget.ts";
import { schemas } from "../shared/store/tables.ts";
import type { App } from "../shared/usecases/app.ts";
import type { PolicyDocuments } from "../shared/usecases/policy/change-policy.ts";
import { type PolicyReader, policyReader, policySchema } from "./policy-reading.ts";

/** The program's parts. */
export interface Composition extends Pick<PolicyReader, "readPolicy" | "readPolicyOrDefault"> {
  readonly app: App;
  /** Checks tokens of the company's identity provider. */
  readonly oidc: OidcTokens;
  /** The account the functions run in. */
  readonly accountId: string;
  /** Any of them opens the alarm webhook. */
  readonly alarmSecrets: readonly string[];
  /** Checks documents of this installation. */
  readonly documents: () => Promise<PolicyDocuments>;
  /** Region in which the heartbeat is published; null where none is wanted. */
  readonly heartbeat: string | null;
  /** Ends an invocation: what is to be told to others is told. Never rejects. */
  readonly settle: () => Promise<void>;
}

/** What evidence and metrics are read and told with, and people. */
export interface ObservedWith {
  readonly clock: Clock;
  readonly credentials: () => Credentials;
  readonly vpc: RpcClient;
  readonly cms: RpcClient;
  /** A secret of the environment that a target of notices names; null where it is not set. */
  readonly secret: (name: string) => string | null;
}

/** Makes those parts that one function alone has, so that the others are deployed without them. */
export type Observing = (
  configuration: Configuration,
  reading: ObservedWith,
) => Pick<App, "traffic" | "metrics" | "notifier">;

const blind: Observing = () => {
  const refuse = () => Promise.reject(new Error("only sweep observes and tells"));
  return { traffic: refuse, metrics: refuse, notifier: { send: refuse } };
};

/** Keys as the platform hands them over with each call; empty when the function has no role. */
export type ContextCredentials = Partial<Credentials> | undefined;

/** Names the code of `policy-schema.ts` with all that it is made of; put here by the build. */
declare const SAFEPORT_POLICY_SCHEMA: string | undefined;

/** How long an identity provider may take to show its keys. */
const KEYS_WITHIN_MS = 5000;

/** ActionTrail allows two look-ups a second. */
const LOOK_UPS_PER_MINUTE = 100;

/** The log before and beside a composition. */
export const bootLog = consoleLog(systemClock);

let made: Composition | undefined;
let current: Credentials | undefined;

/**
 * The composition, built by the first call. Keys that come with the call replace those before, because a process may outlive
 * the keys of its start. Throws NOT_READY when configuration or keys are missing.
 */
export function compose(credentials: ContextCredentials, observing = blind): Composition {
  current = usable(credentials) ?? current ?? environmentCredentials(process.env) ?? undefined;
  if (current === undefined) throw fail("NOT_READY", { what: "an access key (the function has no role)" });
  made ??= build(configurationOf(process.env), observing);
  return made;
}

function usable(credentials: ContextCredentials): Credentials | undefined {
  const { accessKeyId, accessKeySecret, securityToken } = credentials ?? {};
  return accessKeyId && accessKeySecret
    ? { accessKeyId, accessKeySecret, securityToken: securityToken || undefined }
    : undefined;
}

function configurationOf(env: Readonly<Record<string, string | undefined>>): Configuration {
  try {
    return readSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw fail("NOT_READY", { what: "a usable configuration (the function's log names each mistake)" }, error);
  }
}

function build(configuration: Configuration, observing: Observing): Composition {
  const { settings, region, accountId, endpoints, wakeups, callsPerMinute, alarmSecrets, heartbeat } = configuration;
  const clock = systemClock;
  const random = systemRandom;
  const log = bootLog;
  const keys = (): Credentials => {
    if (current === undefined) throw fail("NOT_READY", { what: "an access key" });
    return current;
  };
  const tables = tablestoreTables({
    clock,
    random,
    schemas,
    credentials: keys,
    endpoint: endpoints.tablestore,
    instance: endpoints.tablestoreInstance,
  });
  const budget = { clock, random, log, budgets: tableBudgets(tables) };
  const calls = callBudget({ ...budget, callsPerMinute });
  const lookUps = callBudget({ ...budget, callsPerMinute: Math.min(callsPerMinute, LOOK_UPS_PER_MINUTE) });
  const rpc = ecsRpcClient({
    clock,
    credentials: keys,
    ...placeOf(endpoints.ecs, (where) => `ecs.${where}.aliyuncs.com`),
    gate: calls,
  });
  const trailRpc = actionTrailRpcClient({
    clock,
    credentials: keys,
    ...placeOf(endpoints.actionTrail, (where) => `actiontrail.${where}.aliyuncs.com`),
    gate: lookUps,
  });
  const wakeup: Wakeup = !wakeups
    ? { arm: async () => undefined }
    : fcWakeup({
        clock,
        log,
        credentials: keys,
        accountId,
        region,
        functionName: endpoints.sweepFunction,
        endpoint: endpoints.fc,
        secure: endpoints.fc.startsWith("https:"),
      });
  const cmsRpc = cloudMonitorRpcClient({
    clock,
    credentials: keys,
    ...placeOf(endpoints.cms, (where) => `metrics.${where}.aliyuncs.com`),
  });
  const vpcRpc = vpcRpcClient({
    clock,
    credentials: keys,
    ...placeOf(endpoints.vpc, (where) => `vpc.${where}.aliyuncs.com`),
  });
  const app: App = {
    clock,
    random,
    log,
    tables,
    wakeup,
    settings,
    firewall: ecsFirewall(rpc),
    inventory: ecsInventory(rpc, clock),
    trail: actionTrail(trailRpc, clock),
    ...observing(configuration, {
      clock,
      credentials: keys,
      vpc: vpcRpc,
      cms: cmsRpc,
      secret: (name) => process.env[`SAFEPORT_SECRET_${name}`] || null,
    }),
    ...(configuration.cloudAssistant
      ? {
          hosts: async () => {
            const { assistantHosts } = await import("../shared/adapters/alibaba/assistant-hosts.ts");
            return assistantHosts(rpc);
          },
        }
      : {}),
    lists: async () => {
      const { ecsAddressLists } = await import("../shared/adapters/alibaba/ecs-address-lists.ts");
      return ecsAddressLists(rpc, configuration.lockdownLists);
    },
  };
  const { readPolicy, readPolicyOrDefault, ...reader } = policyReader({
    tables,
    log,
    region,
    secret: settings.markSecret,
    schema: typeof SAFEPORT_POLICY_SCHEMA === "string" ? SAFEPORT_POLICY_SCHEMA : null,
  });
  const settle = async (): Promise<void> => {
    await Promise.all([calls.settle(), lookUps.settle(), reader.settle()]);
  };
  const keySets: KeySets = {
    read: async (url) => {
      const { httpsGet } = await import("../shared/adapters/notify/https-post.ts");
      return httpsGet(url, { privateHosts: configuration.notifyPrivateHosts }, KEYS_WITHIN_MS);
    },
  };
  const oidc = new OidcTokens(clock, keySets);
  const documents = async (): Promise<PolicyDocuments> => {
    const [{ checkedPolicyText, policyOfRow }, { warningsOfText }] = await Promise.all([
      policySchema(),
      import("../shared/config/policy-warnings.ts"),
    ]);
    return { textOf: checkedPolicyText, policyOf: (row) => policyOfRow(row, region), warningsOf: warningsOfText };
  };
  const beats = heartbeat ? region : null;
  const policies = { readPolicy, readPolicyOrDefault };
  return { app, accountId, alarmSecrets, settle, documents, oidc, heartbeat: beats, ...policies };
}

/** Where an API answers: at the address that is set, else at each region's own. */
function placeOf(set: string | null, ofRegion: (region: string) => string): Pick<RpcSettings, "endpoint" | "protocol"> {
  if (set === null) return { endpoint: ofRegion, protocol: "https" };
  const { host, protocol } = new URL(set);
  return { endpoint: () => host, protocol: protocol === "http:" ? "http" : "https" };
}
