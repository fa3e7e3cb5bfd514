// What a full pass costs its process when there is nothing to do: processor time, peak memory and calls, over many groups and few.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setUpInstallation } from "../cli/setup/installation.ts";
import { tablestoreTables } from "../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../shared/adapters/system/clock.ts";
import { systemRandom } from "../shared/adapters/system/random.ts";
import { readSettings } from "../shared/config/settings.ts";
import type { GroupId } from "../shared/domain/ids.ts";
import { dueWrite, markInstalled } from "../shared/store/due.ts";
import { schemas } from "../shared/store/tables.ts";
import type { FullPassCost } from "./full-pass-client.ts";
import { type Built, inFolder } from "./installation.ts";
import { type Server, startServer, stopServers } from "./own-process.ts";
import { progress, row, verdict } from "./printing.ts";

const RULES = 50;
const GROUPS = { many: 10_000, few: 1_000 };
const SHORT_GROUPS = { many: 1_000, few: 300 };
const ROUNDS = 3;
const CPU_MS_MAX = 3_000;
const PEAK_MB_MAX = 200;
/** What ten times the groups may add to the peak: noise of the collector. */
const PEAK_GROWTH_MAX = 1.25;
/** The pass comes to its end in one invocation, so that nothing but the pass is measured. */
const ALLOWED_S = 900;
const KEYS = { accessKeyId: "ak", accessKeySecret: "sk" };

interface Scene {
  readonly label: string;
  readonly guard: string | null;
}

const SCENES: readonly Scene[] = [{ label: "guard none: marks only", guard: null }];

interface Measured extends FullPassCost {
  readonly calls: Readonly<Record<string, number>>;
}

/** Runs full passes over both numbers of groups and prints the figures. Answers whether the promises were kept. */
export async function benchFullPass({ dist }: Built, isShort: boolean): Promise<boolean> {
  const { many, few } = isShort ? SHORT_GROUPS : GROUPS;
  let isKept = true;
  for (const scene of SCENES) {
    const runs = { many: [] as Measured[], few: [] as Measured[] };
    for (let round = 0; round < (isShort ? 1 : ROUNDS); round++) {
      progress(`${scene.label}: round ${round + 1}`);
      // In turn, so that a slow spell of the machine hits both alike.
      runs.few.push(await fullPassOver(dist, few, scene));
      runs.many.push(await fullPassOver(dist, many, scene));
    }
    progress("");
    isKept = report(scene, { many, few }, runs, isShort) && isKept;
  }
  return isKept;
}

function report(
  scene: Scene,
  groups: { readonly many: number; readonly few: number },
  runs: { readonly many: readonly Measured[]; readonly few: readonly Measured[] },
  isShort: boolean,
): boolean {
  const [many, few] = [cheapest(runs.many), cheapest(runs.few)];
  row(
    scene.label,
    `the cheapest of ${runs.many.length} runs; processor time of the client, its garbage collector included`,
  );
  for (const [count, cost] of [
    [groups.few, few],
    [groups.many, many],
  ] as const) {
    row(
      `${count} groups of ${RULES} rules`,
      `${seconds(cost.cpuMs)} of processor, ${seconds(cost.wallMs)} in all, peak ${megabytes(cost)} MB`,
    );
    const calls = Object.entries(cost.calls).map(([name, times]) => `${name} ${times}`);
    row("calls", calls.join(", "));
  }
  const isComplete = [...runs.many].every((cost) => cost.calls["DescribeSecurityGroupAttribute"] === groups.many);
  const kept = [
    verdict("each group is read once", isComplete),
    verdict(`peak <= ${PEAK_MB_MAX} MB`, megabytes(many) <= PEAK_MB_MAX),
    verdict(
      `peak <= ${PEAK_GROWTH_MAX} x that of ${groups.few} groups`,
      many.peakBytes <= few.peakBytes * PEAK_GROWTH_MAX,
    ),
  ];
  // A short run is mostly the compiler's warming up.
  if (!isShort) kept.push(verdict(`processor <= ${seconds(CPU_MS_MAX)}`, many.cpuMs <= CPU_MS_MAX));
  return kept.every(Boolean);
}

/** Others use the machine too: what they take away is never given back, so the least is the nearest to the truth. */
const cheapest = (runs: readonly Measured[]): Measured => {
  const [first, ...rest] = runs;
  if (first === undefined) throw new Error("nothing was measured");
  return rest.reduce((best, run) => (run.cpuMs < best.cpuMs ? run : best), first);
};
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const megabytes = ({ peakBytes }: FullPassCost): number => Math.round(peakBytes / 1e6);

/** One full pass, in processes of its own: the clouds' two, and the built function's. */
async function fullPassOver(dist: string, groups: number, { guard }: Scene): Promise<Measured> {
  return inFolder(async (folder) => {
    const servers: Server[] = [];
    const start = async (name: string, argument: string): Promise<string> => {
      const server = await startServer(folder, name, argument);
      servers.push(server);
      return server.address;
    };
    try {
      const ecs = await start("full-pass-stub", JSON.stringify({ groups, rules: RULES, guard }));
      const tablestore = await start("tablestore-engine", join(folder, "data"));
      const environment = environmentOf(ecs, tablestore);
      await haveFullPassDue(environment);
      const cost = await runClient(dist, environment);
      const calls = (await (await fetch(`http://${ecs}/calls`)).json()) as Record<string, number>;
      return { ...cost, calls };
    } finally {
      await stopServers(servers);
    }
  });
}

const environmentOf = (ecs: string, tablestore: string): Record<string, string> => ({
  SAFEPORT_REGION: "cn-hangzhou",
  SAFEPORT_ACCOUNT_ID: "100000000000",
  SAFEPORT_INSTALLATION: "bench",
  SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
  SAFEPORT_ECS_ENDPOINT: `http://${ecs}`,
  SAFEPORT_TABLESTORE_ENDPOINT: tablestore,
  SAFEPORT_TABLESTORE_INSTANCE: "bench",
  SAFEPORT_WAKEUPS: "off",
  // The budget is asked as ever, and large enough to hold nobody up.
  SAFEPORT_CALLS_PER_MINUTE: "100000",
});

/** An installation whose hourly full pass has just come due. */
async function haveFullPassDue(environment: Readonly<Record<string, string>>): Promise<void> {
  const configuration = readSettings(environment);
  const { endpoints, settings } = configuration;
  await setUpInstallation({ configuration, credentials: KEYS, policyText: "{}", tokens: null, tokenDays: 1 });
  const tables = tablestoreTables({
    clock: systemClock,
    random: systemRandom,
    schemas,
    credentials: () => KEYS,
    endpoint: endpoints.tablestore,
    instance: endpoints.tablestoreInstance,
  });
  const now = systemClock.now();
  await markInstalled(tables, settings.installation, now);
  const due = {
    shard: 0,
    at: now - 1000,
    kind: "full-pass",
    id: "hourly",
    region: "",
    groupId: "" as GroupId,
  } as const;
  await tables.writeAll([dueWrite(due)]);
}

async function runClient(dist: string, environment: Readonly<Record<string, string>>): Promise<FullPassCost> {
  const client = join(dist, "full-pass-client", "index.js");
  const child = spawn(process.execPath, [client, join(dist, "sweep", "index.js"), `${ALLOWED_S}`], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", ...environment },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  const last = out.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || !last.startsWith("{")) throw new Error(`the full pass failed: ${err || out}`);
  return JSON.parse(last) as FullPassCost;
}
