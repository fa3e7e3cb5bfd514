// `npm run cloud`: runs the embedded cloud alone. See `--help`. Functions are deployed by others.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CloudOptions, startCloud } from "./cloud.ts";
import { seededRandom } from "./random.ts";
import { seedAccount } from "./seed.ts";

const portFlags = {
  port: { name: "api", fallback: 9000 },
  "control-port": { name: "control", fallback: 9099 },
  "ecs-port": { name: "ecs", fallback: 9100 },
  "tablestore-port": { name: "tablestore", fallback: 9101 },
  "cms-port": { name: "cms", fallback: 9102 },
  "sls-port": { name: "sls", fallback: 9103 },
  "fc-port": { name: "fc", fallback: 9104 },
  "actiontrail-port": { name: "actiontrail", fallback: 9105 },
  "vpc-port": { name: "vpc", fallback: 9106 },
  "ram-port": { name: "ram", fallback: 9107 },
} as const;

const engines = ["auto", "nft", "userspace"] as const;
const textFlags = ["home", "host", "engine", "network", "table", "scan-noise"] as const;

const HELP = `Usage: npm run cloud [-- <option>...]

Starts the embedded cloud without safeport: ECS, Tablestore, CloudMonitor, SLS, ActionTrail, VPC, RAM and Function Compute, with
a small account and a data plane whose instances have real ports. Prints the addresses and keys, then \`ready\`. Ctrl-C stops it.

  --port <n>             the HTTP trigger of functions (default 9000, or PORT)
  --control-port <n>     the control API: clock, faults, switches, calls (default 9099)
  --ecs-port <n>         (default 9100)
  --tablestore-port <n>  (default 9101)
  --cms-port <n>         (default 9102)
  --sls-port <n>         (default 9103)
  --fc-port <n>          (default 9104)
  --actiontrail-port <n> (default 9105)
  --vpc-port <n>         (default 9106)
  --ram-port <n>         (default 9107)
  --any-port             every port that is not given is chosen by the machine
  --host <address>       where the services listen (default 127.0.0.1)
  --home <folder>        keeps the state in <folder>/cloud (default .safeport, or SAFEPORT_HOME)
  --engine <name>        ${engines.join(", ")}: how packets are decided (default auto)
  --network <127.n>      where instances live: 127.n.0.0/16 (default 127.10); one of its own for each cloud on a host
  --table <name>         name of the nftables table (default: from the network)
  --scan-noise <ms>      adds the probe of a stranger to the flow records that often (default: never)
  --local-transactions   every new table has them, as where a ticket has enabled them; SDKs that can't ask need it
  --help                 says this
`;

/** The cloud's options from flags, then the environment (`PORT`, `SAFEPORT_HOME`), then defaults. Throws on bad ones. */
export function readOptions(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CloudOptions | "help" {
  const texts = Object.fromEntries(
    [...Object.keys(portFlags), ...textFlags].map((name) => [name, { type: "string" } as const]),
  );
  const switches = {
    help: { type: "boolean" },
    "any-port": { type: "boolean" },
    "local-transactions": { type: "boolean" },
  } as const;
  const { values } = parseArgs({ args: [...flags], options: { ...texts, ...switches }, strict: true });
  if (values.help === true) return "help";
  const value = (name: string): string | undefined => (values as Record<string, string | undefined>)[name];
  const whole = (flag: string, text: string, max: number): number => {
    const number = Number(text);
    if (text !== "" && Number.isInteger(number) && number >= 0 && number <= max) return number;
    throw new RangeError(`--${flag} ${text}: use 0 to ${max}`);
  };
  const ports = Object.entries(portFlags).map(([flag, { name, fallback }]) => {
    const given = value(flag) ?? (flag === "port" ? environment["PORT"] : undefined);
    if (given !== undefined) return [name, whole(flag, given, 65_535)];
    return [name, values["any-port"] === true ? 0 : fallback];
  });
  const engine = engines.find((each) => each === (value("engine") ?? "auto"));
  if (!engine) throw new RangeError(`--engine ${value("engine")}: use ${engines.join(", ")}`);
  const network = value("network") ?? "127.10";
  if (!/^127\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/.test(network))
    throw new RangeError(`--network ${network}: use 127.0 to 127.255`);
  const [host, tableName, noise] = [value("host"), value("table"), value("scan-noise")];
  return {
    ports: Object.fromEntries(ports),
    directory: join(value("home") ?? environment["SAFEPORT_HOME"] ?? ".safeport", "cloud"),
    engine,
    range: `${network}.0.0/16`,
    account: accountIn(network),
    localTransactions: values["local-transactions"] === true,
    ...(host === undefined ? {} : { host }),
    ...(tableName === undefined ? {} : { tableName }),
    ...(noise === undefined ? {} : { scanNoiseMs: Math.max(1, whole("scan-noise", noise, 86_400_000)) }),
  };
}

/** The seeded account with its instances in another network. */
function accountIn(network: string): NonNullable<CloudOptions["account"]> {
  const account = seedAccount(seededRandom("safeport seeded account"));
  const instances = account.instances.map((instance) => ({
    ...instance,
    address: instance.address.replace(/^127\.10\./, `${network}.`),
  }));
  return { ...account, instances };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(HELP);
    return;
  }
  let stopping = false;
  // A cloud that is starting has taken things already, such as the nftables table: it starts to its end, and stops.
  const end = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    starting.then((cloud) => cloud.stop().then(() => process.exit(0))).catch(failed);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const starting = startCloud(options);
  const cloud = await starting;
  if (stopping) return;
  const say = (label: string, text: string): void => console.log(`${label.padEnd(12)}${text}`);
  const { account, dataPlane } = cloud;
  for (const [name, endpoint] of Object.entries(cloud.endpoints)) say(name, endpoint);
  say("region", account.regionId);
  for (const { name, accessKeyId, accessKeySecret } of account.users)
    say("key", `${accessKeyId} ${accessKeySecret} ${name}`);
  say("data plane", dataPlane.engine);
  for (const { name, address, listening } of account.instances)
    say("instance", `${address} ${name} ${listening.join(",")}`);
  for (const [known, real] of Object.entries(dataPlane.mappedPorts())) say("served at", `${known} on port ${real}`);
  for (const problem of dataPlane.problems()) say("problem", problem);
  console.log("ready");
}

function failed(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

if (require.main === module) main().catch(failed);
