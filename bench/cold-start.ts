// How much longer than `node -e 0` a process takes until a function's handler is ready, and until its first lease is open.
// Ratios, because machines are shared; of processor time too, because what others do meanwhile hardly counts there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { deflateRawSync } from "node:zlib";
import type { BuiltFile } from "../cli/build.mjs";
import { type Built, inFolder, startInstallation } from "./installation.ts";
import { percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";

const ROUNDS = 15;
const SLOW_ROUNDS = 5;
const LEASE_ROUNDS = 15;
/** Handler ready, and first lease open, without a code cache. */
const READY_MAX = 1.5;
const LEASE_MAX = 3.0;
const READY_MB_MAX = 50;
const LEASE_MB_MAX = 60;
const ZIP_BYTES_MAX = 0.3 * 1024 * 1024;
/** What an archive says of each of its files, beside the name. */
const ZIP_ENTRY_BYTES = 150;
const PROMISED_ECS_CALLS = 6;
/** A quarter of a processor: so much of each period is run, and the rest waited. */
const SLICE = { runMs: 5, waitMs: 15 };

/** What all processes of a comparison have in their environment. */
interface Surroundings {
  /** Added to what is printed. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Are these the surroundings in which the promises were made? */
  readonly isPromised: boolean;
}

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly mb: number;
}

/** The peak is asked of /proc where there is one: that of `resourceUsage` begins with the size of whoever started the process. */
const TELL = `;const{user,system}=process.cpuUsage();let mb=process.resourceUsage().maxRSS/1024;
try{mb=/VmHWM:\\s+(\\d+)/.exec(require("node:fs").readFileSync("/proc/self/status","utf8"))[1]/1024}catch{}
process.stdout.write(JSON.stringify([(user+system)/1000,mb]));process.exit(0)`;

/** Everything that is called, as it is installed: what a function would load without bundling. */
const UNBUNDLED = ["@alicloud/ecs20140526", "@alicloud/cms20190101", "tablestore", "@alicloud/fc2", "zod"]
  .map((name) => `require(${JSON.stringify(name)})`)
  .join(";");

/**
 * Starts empty processes, processes that load a function and one that loads the SDKs in turn. Answers whether the promises were kept. Those were
 * made where `NODE_EXTRA_CA_CERTS` has every process parse a bundle of root certificates at its start, so that an empty Node takes three
 * times as long; they are judged in the same surroundings, and what it comes to without them, as in a function, is printed beside.
 */
export async function benchColdStart(built: Built): Promise<boolean> {
  return await inFolder(async (folder) => {
    const certificates = join(folder, "roots.pem");
    writeFileSync(certificates, rootCertificates.join("\n"));
    const trials = { name: "", environment: { NODE_EXTRA_CA_CERTS: certificates }, isPromised: true };
    const bare = { name: ", no certificates to parse", environment: {}, isPromised: false };
    const kept = [zips(built)];
    for (const surroundings of [trials, bare]) {
      kept.push(await ready(built, ROUNDS, null, surroundings));
      kept.push(await ready(built, SLOW_ROUNDS, SLICE, surroundings));
      kept.push(await firstLease(built, null, surroundings));
      kept.push(await firstLease(built, SLICE, surroundings));
    }
    return kept.every(Boolean);
  });
}

/** What is uploaded of each function: the file of its start and those that it loads later. */
function zips({ dist, sizes }: Built): boolean {
  const kept = startsOf(sizes).map(({ file }) => {
    const own = sizes.filter((other) => dirname(other.file) === dirname(file));
    const bytes = own
      .map((it) => deflateRawSync(readFileSync(join(dist, it.file)), { level: 9 }).length + ZIP_ENTRY_BYTES)
      .reduce((sum, size) => sum + size, 0);
    row(`${dirname(file)}, zipped`, `${(bytes / 1024 / 1024).toFixed(3)} MB in ${own.length} files`);
    return verdict("zip <= 0.3 MB", bytes <= ZIP_BYTES_MAX);
  });
  return kept.every(Boolean);
}

const startsOf = (sizes: Built["sizes"]): Built["sizes"] => sizes.filter(({ file }) => /^\w+\/index\.js$/.test(file));

async function ready(
  { dist, sizes }: Built,
  rounds: number,
  slice: typeof SLICE | null,
  { name: where, environment, isPromised }: Surroundings,
): Promise<boolean> {
  const functions = startsOf(sizes);
  const scripts = [
    { name: "node -e 0", built: null, script: "" },
    ...functions.map((each) => ({ name: each.file, built: each as BuiltFile | null, script: loading(dist, each) })),
    { name: "the SDKs unbundled", built: null, script: UNBUNDLED },
  ];
  const samples = scripts.map((): Sample[] => []);
  // In turn, so that a slow spell of the machine hits all alike.
  for (let round = 0; round < rounds; round++) {
    for (const [index, { script }] of scripts.entries())
      samples[index]?.push(await run(script + TELL, slice, environment));
    progress(`round ${round + 1} of ${rounds}`);
  }
  progress("");
  const [floor, ...medians] = samples.map(medianOf);
  if (floor === undefined) throw new Error("nothing was measured");
  row(
    `node -e 0${shareOf(slice)}${where}`,
    `${floor.wallMs.toFixed(0)} ms, ${floor.cpuMs.toFixed(0)} ms of processor, ${floor.mb.toFixed(0)} MB`,
  );
  const kept = scripts.slice(1).map(({ name, built }, index) => {
    const { wallMs, cpuMs, mb } = medians[index] ?? floor;
    const size = built === null ? "" : `; ${built.bytes} bytes at start, gzipped ${built.gzipped}`;
    const ratio = wallMs / floor.wallMs;
    row(
      name,
      `ready at ${ratio.toFixed(2)} x, ${(cpuMs / floor.cpuMs).toFixed(2)} x of processor, ${mb.toFixed(0)} MB${size}`,
    );
    if (built === null || !isPromised) return true;
    const isKept = verdict(`ready at <= ${READY_MAX} x${shareOf(slice)}`, ratio <= READY_MAX);
    if (slice !== null) return isKept;
    return verdict(`<= ${READY_MB_MAX} MB`, mb <= READY_MB_MAX) && isKept;
  });
  return kept.every(Boolean);
}

const shareOf = (slice: typeof SLICE | null): string =>
  slice === null
    ? ""
    : `, a quarter of a processor (stopped ${slice.waitMs} of every ${slice.waitMs + slice.runMs} ms)`;

const loading = (dist: string, { file }: BuiltFile): string => `require(${JSON.stringify(join(dist, file))})`;

const medianOf = (samples: readonly Sample[]): Sample => ({
  wallMs: percentile(
    samples.map(({ wallMs }) => wallMs),
    50,
  ),
  cpuMs: percentile(
    samples.map(({ cpuMs }) => cpuMs),
    50,
  ),
  mb: percentile(
    samples.map(({ mb }) => mb),
    50,
  ),
});

/**
 * One process; with a slice it runs only a part of the time, as where less than a processor is given to it. It has nothing of this one's
 * environment, as the functions.
 */
async function run(
  script: string,
  slice: typeof SLICE | null,
  environment: Surroundings["environment"],
): Promise<Sample> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...environment },
  });
  let told = "";
  child.stdout.on("data", (text: Buffer) => {
    told += text.toString();
  });
  const release = slice === null ? () => undefined : sliced((signal) => child.kill(signal), slice);
  const [code] = (await once(child, "close")) as [number | null];
  release();
  const wallMs = performance.now() - startMs;
  if (code !== 0) throw new Error(`the script does not run: ${script.slice(0, 200)}`);
  const [cpuMs, mb] = JSON.parse(told) as [number, number];
  return { wallMs, cpuMs, mb };
}

/** Has a process run a part of the time. Answers what ends that. */
function sliced(send: (signal: "SIGSTOP" | "SIGCONT") => void, slice: typeof SLICE): () => void {
  let turn: NodeJS.Timeout;
  const stop = (): void => {
    send("SIGSTOP");
    turn = setTimeout(go, slice.waitMs);
  };
  const go = (): void => {
    send("SIGCONT");
    turn = setTimeout(stop, slice.runMs);
  };
  turn = setTimeout(stop, slice.runMs);
  return () => {
    clearTimeout(turn);
    send("SIGCONT");
  };
}

/** The whole of it: a new process by the platform, the pass with all of its calls, and the answer. */
async function firstLease(
  built: Built,
  slice: typeof SLICE | null,
  { name: where, environment, isPromised }: Surroundings,
): Promise<boolean> {
  const installation = await startInstallation(built, { groups: LEASE_ROUNDS + 1, timer: false, environment });
  const { cloud, call, groupIds, tick } = installation;
  const pids = (name: string) => cloud.functions.registry.pids(name);
  const [samples, floors]: [Sample[], Sample[]] = [[], []];
  let calls: readonly string[] = [];
  try {
    // As in an account that has been set up for more than a minute: until then each call asks whose state it is.
    await tick();
    for (let round = 0; round <= LEASE_ROUNDS; round++) {
      cloud.functions.registry.kill("api");
      const { next } = cloud.calls.since(Number.MAX_SAFE_INTEGER);
      const ask = { group: groupIds[round], port: 10_000, period: 1800, source: "203.0.113.7" };
      const startMs = performance.now();
      const release = slice === null ? () => undefined : sliced((signal) => signalAll(pids("api"), signal), slice);
      const { status, body } = await call("POST", "/v1/leases", ask).finally(release);
      const wallMs = performance.now() - startMs;
      if (status !== 201) throw new Error(`a lease was answered ${status}: ${JSON.stringify(body)}`);
      const [pid = 0] = pids("api");
      // What a start of the cloud does for the first time is nothing of ours.
      if (round > 0) {
        samples.push({ wallMs, ...usedBy(pid) });
        // In turn, as the machine is not equally fast all the time.
        floors.push(await run(TELL.slice(1), slice, environment));
      }
      calls = cloud.calls.since(next).calls.map(({ service, operation }) => `${service} ${operation}`);
    }
  } finally {
    await installation.stop();
  }
  const [floor, lease] = [medianOf(floors), medianOf(samples)];
  const ratio = lease.wallMs / floor.wallMs;
  const ecs = calls.filter((it) => it.startsWith("ecs ")).length;
  row(
    `process start to first lease open${shareOf(slice)}${where}`,
    `${ratio.toFixed(2)} x, ${(lease.cpuMs / floor.cpuMs).toFixed(2)} x of processor, ${lease.mb.toFixed(0)} MB`,
  );
  if (!isPromised) return true;
  if (slice !== null) return verdict(`first lease at <= ${LEASE_MAX} x, a quarter of a processor`, ratio <= LEASE_MAX);
  row("its calls", [...new Set(calls)].map((it) => `${calls.filter((other) => other === it).length} ${it}`).join(", "));
  const kept = [
    verdict(`first lease at <= ${LEASE_MAX} x`, ratio <= LEASE_MAX),
    verdict(`<= ${LEASE_MB_MAX} MB`, lease.mb <= LEASE_MB_MAX),
    verdict(`ECS calls, cold <= ${PROMISED_ECS_CALLS}`, ecs <= PROMISED_ECS_CALLS),
  ];
  return kept.every(Boolean);
}

/** To processes that may have ended. */
function signalAll(pids: readonly number[], signal: "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // It has.
    }
}

/** Processor and peak memory of a process so far; nothing where the system does not tell. */
function usedBy(pid: number): Pick<Sample, "cpuMs" | "mb"> {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, mb: Number(peak) / 1024 };
  } catch {
    return { cpuMs: Number.NaN, mb: Number.NaN };
  }
}
