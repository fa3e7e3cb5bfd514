// Runs the embedded cloud alone: `main.js [--port 9000] [--control-port 9099] [--home .safeport] …`. Functions are deployed by others.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CloudOptions, startCloud } from "./cloud.ts";

const portFlags = {
  port: { name: "api", fallback: 9000 },
  "control-port": { name: "control", fallback: 9099 },
  "ecs-port": { name: "ecs", fallback: 9100 },
  "tablestore-port": { name: "tablestore", fallback: 9101 },
  "cms-port": { name: "cms", fallback: 9102 },
  "sls-port": { name: "sls", fallback: 9103 },
  "fc-port": { name: "fc", fallback: 9104 },
} as const;

const engines = ["auto", "nft", "userspace"] as const;

/** The cloud's options from flags, then the environment (`PORT`, `SAFEPORT_HOME`), then defaults. Throws on bad ones. */
export function readOptions(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CloudOptions {
  const text = { type: "string" } as const;
  const options = Object.fromEntries(
    [...Object.keys(portFlags), "home", "host", "engine", "range", "table"].map((name) => [name, text]),
  );
  const { values } = parseArgs({ args: [...flags], options, strict: true });
  const value = (name: string): string | undefined => values[name] as string | undefined;
  const ports = Object.entries(portFlags).map(([flag, { name, fallback }]) => {
    const given = value(flag) ?? (flag === "port" ? environment["PORT"] : undefined);
    const port = given === undefined ? fallback : Number(given);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new RangeError(`--${flag} ${given}: use 0 to 65535`);
    return [name, port];
  });
  const engine = engines.find((each) => each === (value("engine") ?? "auto"));
  if (!engine) throw new RangeError(`--engine ${value("engine")}: use ${engines.join(", ")}`);
  const optional = { host: value("host"), range: value("range"), tableName: value("table") };
  return {
    ports: Object.fromEntries(ports),
    directory: join(value("home") ?? environment["SAFEPORT_HOME"] ?? ".safeport", "cloud"),
    engine,
    ...(Object.fromEntries(Object.entries(optional).filter(([, each]) => each !== undefined)) as Partial<CloudOptions>),
  };
}

async function main(): Promise<void> {
  const cloud = await startCloud(readOptions(process.argv.slice(2), process.env));
  for (const [name, endpoint] of Object.entries(cloud.endpoints)) console.log(`${name.padEnd(11)}${endpoint}`);
  console.log(`data plane ${cloud.dataPlane.engine}`);
  for (const problem of cloud.dataPlane.problems()) console.log(`           ${problem}`);
  console.log("ready");
  const end = (): void => void cloud.stop().then(() => process.exit(0));
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
