// Seeds on several processors: each seed is a world of its own, so processes that run them need to know nothing of one another.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { withBundle } from "./bundle.ts";
import type { SeedReport } from "./run-seed.ts";

/** What a seed makes is rubbish in a moment: with room for more of it a tenth less of the time goes into collecting it. */
const EXEC_ARGV = ["--max-semi-space-size=64"];

/**
 * Runs the seeds that `next` names, until it names none, on so many processes; `take` is handed each report as it comes, in no order.
 * Throws when a process ends before its seed does.
 */
export function runSeeds(
  processes: number,
  next: () => string | null,
  take: (report: SeedReport) => void,
): Promise<void> {
  const serve = async (file: string): Promise<void> => {
    const child = fork(file, { serialization: "advanced", execArgv: EXEC_ARGV });
    try {
      for (let seed = next(); seed !== null; seed = next()) take(await runIn(child, seed));
    } finally {
      child.kill();
    }
  };
  return withBundle("seed-worker.ts", async (file) => {
    await Promise.all(Array.from({ length: processes }, () => serve(file)));
  });
}

async function runIn(child: ChildProcess, seed: string): Promise<SeedReport> {
  const ended = new AbortController();
  child.send(seed);
  try {
    const died = once(child, "exit", { signal: ended.signal }).then(() => {
      throw new Error(`the process of seed ${seed} has ended before it`);
    });
    const [report] = await Promise.race([once(child, "message", { signal: ended.signal }), died]);
    return report as SeedReport;
  } finally {
    ended.abort();
  }
}
