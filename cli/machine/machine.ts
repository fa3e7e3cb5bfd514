// safeport on one machine: the same functions on the embedded Function Compute, their state in the embedded Tablestore, the account a real one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudClock } from "../../local/clock.ts";
import { startFunctions } from "../../local/services/functions/functions.ts";
import { startTablestore } from "../../local/services/tablestore/server.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { type Configuration, readSettings } from "../../shared/config/settings.ts";
// biome-ignore-start lint/style/noRestrictedImports: what is done before the functions run.
import { readOwnership, requireWhole } from "../../shared/store/due.ts";
import { lapseLocks } from "../../shared/store/lock.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { definitionOf } from "../deploy/definition.ts";
import { readServerlessFile } from "../deploy/serverless-file.ts";
import { cloudCalls } from "../setup/cloud-call.ts";
import { ADMIN_TOKEN, type InstallationWish, installationSteps, stateOf } from "../setup/installation-steps.ts";
import { runSteps } from "../setup/steps.ts";
import { type Home, holdHome, type Identity, openIn, stateFolder } from "./home.ts";
import { keepPurging } from "./keep-purging.ts";
import { chainKeys, type Keys } from "./keys.ts";
import { pollTrail } from "./poll-trail.ts";
import { trailRegions } from "./trail-regions.ts";

export interface MachineOptions {
  readonly home: string;
  /** Where the API listens. */
  readonly host: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the built functions, and `s.yaml`. */
  readonly dist: string;
  readonly serverlessFile: string;
  /** The first policy as JSON text, and who is the first admin. */
  readonly policyText: string;
  readonly admin: string;
  /** A further token for that admin, even if there is one. */
  readonly newToken: boolean;
  readonly trailEveryMs: number;
  /** One line of what functions write, or of ours. */
  readonly log: (text: string) => void;
}

/** A running installation. */
export interface Machine {
  readonly url: string;
  /** Where alarms are posted to, after `url`; null while there is no secret for it. */
  readonly alarmPath: string | null;
  readonly installation: string;
  /** A token that was made now; null when there was one. */
  readonly token: string | null;
  /** Lets what runs come to its end, and gives the folder back. */
  stop(): Promise<void>;
}

/** The name of the instance in the embedded Tablestore. */
const STATE_INSTANCE = "safeport";
const TOKEN_DAYS = 90;
/** Idle functions go after so long; there is no cold start to pay for before. */
const IDLE_MS = 600_000;
/** A folder that took no writes counts as well after so long without a failure. */
const WELL_AGAIN_MS = 600_000;
/** As in the cloud, more of them wait. */
const PROCESSES_MAX = 4;

/** Starts it; when a part cannot start, the others are stopped again. Throws with words. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const started: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each();
  };
  try {
    const machine = await start(options, (each) => void started.push(each));
    return { ...machine, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: MachineOptions,
  onStop: (stop: () => Promise<void> | void) => void,
): Promise<Omit<Machine, "stop">> {
  const { log } = options;
  const clock = new CloudClock();
  onStop(() => clock.close());
  // Where the tables are is known when they run.
  const home = holdHome(options.home, options.env, (identity) => {
    readSettings(environmentOf(options, identity, "http://127.0.0.1"));
  });
  onStop(() => home.release());
  const keys = await chainKeys(clock, log);
  onStop(() => keys.stop());
  const onUnwritable = tellUnwritable(home, clock, log);
  const tablestore = await openIn(home, () =>
    startTablestore({
      clock,
      random: systemRandom,
      directory: stateFolder(home),
      onUnwritable,
      instances: [STATE_INSTANCE],
      credentials: (accessKeyId) => {
        const key = keys.find(accessKeyId);
        return key && { secret: key.accessKeySecret };
      },
    }),
  );
  onStop(() => tablestore.stop());
  const base = environmentOf(options, home.identity, tablestore.url);
  const { region, accountId, settings } = readSettings(base);
  /** How far this machine's clock is ahead of the cloud's; null before that has answered. */
  let skewMs: number | null = null;
  const isClockRight = (): boolean => skewMs !== null && Math.abs(skewMs) <= settings.skewMaxMs;
  onStop(keepPurging({ clock, purge: () => tablestore.purge(), isClockRight, log }));
  const functions = await startFunctions({
    clock,
    random: systemRandom,
    directory: join(home.folder, "functions"),
    host: options.host,
    gatewayPort: options.port,
    apiHost: "127.0.0.1",
    region,
    accountId,
    role: keys.current,
    findKey: (accessKeyId) => {
      const key = keys.find(accessKeyId);
      return key && { ...keyOf(key), principal: "safeport" };
    },
    freeze: false,
    idleMs: IDLE_MS,
    onUnwritable,
    onLog: (line) => log(`${line.function} ${line.requestId} ${line.text}`),
  });
  onStop(() => functions.close());
  const env: Record<string, string> = { ...base, SAFEPORT_FC_ENDPOINT: `http://127.0.0.1:${functions.apiPort}` };
  const configuration = readSettings(env);
  const token = await provision(options, configuration, keys, clock);

  const yaml = readFileSync(options.serverlessFile, "utf8");
  for (const each of Object.values(readServerlessFile(yaml, { env, accountId })))
    functions.registry.deploy({ ...definitionOf(each, options.dist, env), instancesMax: PROCESSES_MAX });
  // Whatever became due while nothing ran does not wait for the first minute.
  const now = new Date(clock.now()).toISOString();
  functions.registry.submit("sweep", Buffer.from(JSON.stringify({ triggerTime: now, triggerName: "start" })));
  onStop(() => functions.drain());
  onStop(
    pollTrail({
      clock,
      accountId,
      file: join(home.folder, "trail.json"),
      everyMs: options.trailEveryMs,
      warn: log,
      onUnwritable,
      lookUp: async (where, parameters) => {
        const place = { configuration: { ...configuration, region: where }, credentials: keys.current(), clock };
        const { ask, actionTrail } = cloudCalls(place);
        const answer = await ask(actionTrail, "LookupEvents", parameters);
        skewMs = actionTrail.skewMs();
        return answer;
      },
      regions: () => trailRegions(stateOf({ configuration, credentials: keyOf(keys.current()), clock }), region),
      deliver: (events) => void functions.registry.submit("audit", Buffer.from(JSON.stringify(events))),
    }),
  );
  // The newest where two are set for the time of a change.
  const secret = configuration.alarmSecrets.at(-1);
  return {
    url: `http://${options.host}:${functions.gatewayPort}`,
    alarmPath: secret === undefined ? null : `/alarm/${secret}`,
    installation: home.identity.installation,
    token,
  };
}

/** Says once that the folder takes no writes, and again when it has taken them for a while; until then each write fails. */
function tellUnwritable({ folder }: Home, clock: CloudClock, log: MachineOptions["log"]): (error: unknown) => void {
  let failedAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = clock.monotonicMs();
    const isTold = now - failedAt < WELL_AGAIN_MS;
    failedAt = now;
    if (isTold) return;
    const why = error instanceof Error ? error.message : String(error);
    log(
      `${folder} cannot be written (${why}). Make room on its disk, or make it writable: until then nothing is opened or closed, and then it goes on by itself.`,
    );
  };
}

/** What `s.yaml` and the settings are read from: what is set, with what this machine decides. */
function environmentOf({ env }: MachineOptions, identity: Identity, tablestore: string): Record<string, string> {
  const set = Object.entries(env).filter((it): it is [string, string] => it[0].startsWith("SAFEPORT_") && !!it[1]);
  return {
    SAFEPORT_HEARTBEAT: "off",
    SAFEPORT_ALARM_SECRETS: identity.alarmSecret,
    ...Object.fromEntries(set),
    SAFEPORT_FUNCTION_PREFIX: "",
    SAFEPORT_SWEEP_FUNCTION: "sweep",
    SAFEPORT_INSTALLATION: identity.installation,
    SAFEPORT_MARK_SECRET: identity.markSecret,
    SAFEPORT_TABLESTORE_INSTANCE: STATE_INSTANCE,
    SAFEPORT_TABLESTORE_ENDPOINT: tablestore,
  };
}

/** A key without a token is one that lasts. */
const keyOf = ({ securityToken, ...key }: ReturnType<Keys["current"]>) =>
  securityToken === "" ? key : { ...key, securityToken };

async function provision(
  { policyText, admin, newToken }: MachineOptions,
  configuration: Configuration,
  keys: Keys,
  clock: InstallationWish["clock"],
): Promise<string | null> {
  const { tables, first } = installationSteps({
    ...{ configuration, clock, policyText, admin, tokenDays: TOKEN_DAYS },
    credentials: keyOf(keys.current()),
    ...{ role: "safeport", functionPrefix: "", logs: null, contacts: null, webhook: null },
  });
  const kept = stateOf({ configuration, credentials: keyOf(keys.current()), clock });
  const options = { apply: true, progress: () => undefined };
  const made = await runSteps(tables, options);
  requireWhole(await readOwnership(kept));
  const reports = [...made, ...(await runSteps(first, options))];
  const wrong = reports.find(({ state }) => state === "wrong");
  if (wrong !== undefined) throw new Error(wrong.what);
  // Whoever held a lock is gone: this process alone holds the folder.
  await lapseLocks(kept);
  const token = reports.find(({ told }) => told !== undefined)?.told;
  if (token !== undefined || !newToken) return token ?? null;
  return (await first.find(({ id }) => id === ADMIN_TOKEN)?.make()) ?? null;
}
