// How much longer than `node -e 0` a process takes until a function's handler is ready. Ratios, because machines are shared.
import { join } from "node:path";
import type { BuiltFile } from "../cli/build.mjs";
import type { Built } from "./installation.ts";
import { percentile } from "./percentile.ts";
import { row, verdict } from "./printing.ts";
import { processMs } from "./process-time.ts";

const ROUNDS = 15;
/** Handler ready, without a code cache. */
const READY_MAX = 1.5;

/** Starts empty processes and processes that load a function in turn, and prints the ratios. Answers whether the promise was kept. */
export function benchColdStart({ dist, sizes }: Built): boolean {
  const functions = sizes.filter(({ file }) => /^\w+\/index\.js$/.test(file));
  const floorTimes: number[] = [];
  const measured = functions.map((built) => ({ built, script: scriptOf(dist, built), times: [] as number[] }));
  // In turn, so that a slow spell of the machine hits all alike.
  for (let round = 0; round < ROUNDS; round++) {
    floorTimes.push(processMs("0"));
    for (const { script, times } of measured) times.push(processMs(script));
  }
  const floor = percentile(floorTimes, 50);
  row("node -e 0", `${floor.toFixed(0)} ms (median of ${ROUNDS})`);
  const kept = measured.map(({ built: { file, bytes, gzipped }, times }) => {
    const ratio = percentile(times, 50) / floor;
    row(file, `ready at ${ratio.toFixed(2)} x; ${bytes} bytes, gzipped ${gzipped}`);
    return verdict(`ready at <= ${READY_MAX} x`, ratio <= READY_MAX);
  });
  return kept.every(Boolean);
}

const scriptOf = (dist: string, { file }: BuiltFile): string =>
  `require(${JSON.stringify(join(dist, file))}); process.exit(0)`;
