// Kills an engine under load, again and again at seeded points, and compares what is stored with what was answered.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { seededRandom } from "../../../../local/random.ts";
import { connect } from "../account.ts";
import { createLoaded, Load } from "./load.ts";

const modules = join(import.meta.dirname, "..", "..", "..", "..", "node_modules");
// From time to time a fresh database, so that points fall on small and on grown ones.
const pointsOfDatabase = 200;
const startMsMax = 20_000;
const steps = ["put", "before-commit", "after-commit"] as const;

/** What a run found. `wrong` is empty when nothing was lost or torn. */
export interface KillReport {
  readonly points: number;
  readonly answered: number;
  readonly wrong: readonly string[];
}

/** Kills the engine at `points` points. The seed decides the load and the points; when answers come is up to the machine. */
export async function runKillPoints(options: {
  readonly seed: string;
  readonly points: number;
  readonly onPoint?: (done: number) => void;
}): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), "kill-points-"));
  let answered = 0;
  try {
    const program = await bundleChild(folder);
    for (let done = 0; done < options.points; ) {
      const count = Math.min(pointsOfDatabase, options.points - done);
      const directory = join(folder, `database-${done}`);
      mkdirSync(directory);
      const report = await killOneDatabase({ program, directory, count, seed: `${options.seed}/${done}` }, (point) =>
        options.onPoint?.(done + point),
      );
      answered += report.answered;
      if (report.wrong.length > 0) return { points: done + report.points, answered, wrong: report.wrong };
      rmSync(directory, { recursive: true });
      done += count;
    }
    return { points: options.points, answered, wrong: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundleChild(folder: string): Promise<string> {
  const outfile = join(folder, "child.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "child.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["libsql"],
  });
  return outfile;
}

interface OneDatabase {
  readonly program: string;
  readonly directory: string;
  readonly count: number;
  readonly seed: string;
}

async function killOneDatabase(run: OneDatabase, onPoint: (done: number) => void): Promise<KillReport> {
  const random = seededRandom(run.seed);
  const load = new Load(seededRandom(`${run.seed}/load`));
  for (let point = 0; point <= run.count; point++) {
    const isLast = point === run.count;
    // The first engine only creates the table, and the last one only reads.
    const isInside = random.fraction() < 0.7 && point > 0 && !isLast;
    const step = isInside ? (steps[Math.floor(random.fraction() * steps.length)] as string) : "never";
    const skipped = Math.floor(random.fraction() * 40);
    const engine = await startEngine(run, step, skipped);
    const exited = once(engine.child, "exit");
    const client = connect(engine.url);
    try {
      if (point === 0) await createLoaded(client);
      const wrong = await load.check(client);
      if (wrong.length > 0) {
        return { points: point, answered: load.answered, wrong: wrong.map((text) => `point ${point}: ${text}`) };
      }
      if (isLast) break;
      let left = 1 + Math.floor(random.fraction() * 60);
      const kill = (): void => {
        left -= 1;
        if (left === 0 && !isInside) engine.child.kill("SIGKILL");
      };
      await load.run(client, engine.url, kill);
    } finally {
      engine.child.kill("SIGKILL");
      await exited;
    }
    onPoint(point + 1);
  }
  return { points: run.count, answered: load.answered, wrong: [] };
}

async function startEngine(
  run: OneDatabase,
  step: string,
  skipped: number,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [run.program, run.directory, step, String(skipped)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_PATH: modules },
  });
  const signal = AbortSignal.timeout(startMsMax);
  try {
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data", { signal })) as [Buffer];
    return { child, url: line.toString().trim() };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
