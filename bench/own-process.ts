// Parts of a bench in processes of their own, so that what they cost is not counted as somebody else's.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { build } from "esbuild";

const START_MS_MAX = 20_000;
const MODULES = join(import.meta.dirname, "..", "node_modules");

/** A server that has started. */
export interface Server {
  readonly process: ChildProcess;
  /** The first line it printed. */
  readonly address: string;
}

/** Bundles `bench/<name>.ts` into `folder` and starts it; resolves with the line it prints first. */
export async function startServer(folder: string, name: string, argument: string): Promise<Server> {
  const outfile = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["libsql"],
  });
  const child = spawn(process.execPath, [outfile, argument], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_PATH: MODULES },
  });
  try {
    const [line] = (await once(child.stdout, "data", { signal: AbortSignal.timeout(START_MS_MAX) })) as [Buffer];
    return { process: child, address: line.toString().trim() };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Ends the servers and waits until they are gone. */
export async function stopServers(servers: readonly Server[]): Promise<void> {
  for (const { process: child } of servers) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}
