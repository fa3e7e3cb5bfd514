// What all services of one cloud share: time, chance, faults, keys, and the list of calls.

import { join } from "node:path";
import type { Random } from "../shared/ports/random.ts";
import { CallRing, type CloudCall } from "./call-ring.ts";
import { CloudClock } from "./clock.ts";
import type { CloudOptions, CloudPorts } from "./cloud-options.ts";
import { FaultTable } from "./faults.ts";
import { fileIn, keptIn } from "./kept-json.ts";
import { Principals, type Session } from "./principals.ts";
import { type Authorize, Ram } from "./ram.ts";
import { machineRandom, seededRandom } from "./random.ts";
import { seedAccount, seedUserNames } from "./seed.ts";
import type { AccountSeed } from "./services/ecs/seed.ts";

/** One cloud before its services have started. */
export interface CloudWorld {
  readonly options: CloudOptions;
  readonly host: string;
  readonly ports: CloudPorts;
  readonly account: AccountSeed;
  readonly random: Random;
  readonly clock: CloudClock;
  readonly faults: FaultTable;
  readonly calls: CallRing;
  readonly principals: Principals;
  /** The present keys of the functions' role. */
  roleKeys(): Session;
  readonly ram: Ram;
  readonly authorize: Authorize;
  /** What the names of a service's resources begin with. */
  arn(service: string): string;
  secretOf(accessKeyId: string, securityToken: string | undefined): string | undefined;
  /** Where a service keeps its state, if anything is kept. */
  folder(name: string): { readonly directory?: string };
  /** Puts a call on the list as one of this service, made now by the holder of its key. */
  listed(service: string): (call: ListedCall) => void;
  /** Ends with the cloud, in the reverse of the order in which things were started. */
  onStop(stop: () => Promise<void> | void): void;
}

type ListedCall = Omit<CloudCall, "seq" | "at" | "service" | "caller"> & { readonly accessKeyId: string };

const ROLE_KEY_MS = 36 * 3_600_000;

/** The world of these options; `onStop` collects what is to be stopped. */
export function cloudWorld(options: CloudOptions, onStop: CloudWorld["onStop"]): CloudWorld {
  const { host = "127.0.0.1", ports = {}, random = machineRandom() } = options;
  const account = options.account ?? seedAccount(seededRandom("safeport seeded account"));
  const clock = new CloudClock(options.startMs === undefined ? {} : { startMs: options.startMs });
  onStop(() => clock.close());
  const calls = new CallRing();
  const folder: CloudWorld["folder"] = (name) =>
    options.directory === undefined ? {} : { directory: join(options.directory, name) };
  const principals = new Principals(
    account,
    random,
    () => clock.now(),
    keptIn(fileIn(folder("ram"), "added.json"), []),
  );
  const { accountId } = account;
  const find = (accessKeyId: string) => principals.find(accessKeyId);
  const ram = new Ram({ accountId, random, find, kept: keptIn(fileIn(folder("ram"), "attached.json"), {}) });
  for (const [name, documents] of Object.entries(options.policies ?? {})) ram.attach(name, documents);
  return {
    ...{ options, host, ports, account, random, clock, calls, principals, folder, onStop },
    faults: new FaultTable(() => clock.now()),
    ram,
    authorize: ram.authorize,
    arn: (service) => `acs:${service}:${account.regionId}:${account.accountId}:`,
    roleKeys: () => principals.sessionOf(seedUserNames.role, options.roleKeyMs ?? ROLE_KEY_MS),
    secretOf: (accessKeyId, securityToken) => principals.secretOf(accessKeyId, securityToken),
    listed:
      (service) =>
      ({ accessKeyId, ...call }) =>
        calls.add({
          ...call,
          service,
          at: clock.now(),
          caller: { accessKeyId, principal: principals.nameOf(accessKeyId) },
        }),
  };
}
