// How much longer than `node -e 0` a process takes until a function's handler is ready. Ratios, because machines are shared.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../cli/build.mjs";

const ROUNDS = 15;
/** DESIGN of the product: handler ready without a code cache. */
const READY_MAX = 1.5;

const directory = mkdtempSync(join(tmpdir(), "safeport-cold-"));
try {
  const { sizes } = await build(directory);
  const functions = sizes.filter(({ file }) => /^\w+\/index\.js$/.test(file));
  const scripts = [
    "0",
    ...functions.map(({ file }) => `require(${JSON.stringify(join(directory, file))}); process.exit(0)`),
  ];
  // In turn, so that a slow spell of the machine hits all alike.
  const times = scripts.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, script] of scripts.entries()) times[index].push(run(script));
  }
  const [floor, ...ready] = times.map(median);
  process.stdout.write(`node -e 0: ${floor.toFixed(0)} ms (median of ${ROUNDS})\n`);
  functions.forEach(({ file, bytes, gzipped }, index) => {
    const ratio = ready[index] / floor;
    const verdict = ratio <= READY_MAX ? "kept" : "MISSED";
    process.stdout.write(
      `${file}: ready at ${ratio.toFixed(2)} x, promise ${READY_MAX} ${verdict}; ${bytes} bytes, gzipped ${gzipped}\n`,
    );
  });
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function run(script) {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, ["-e", script]);
  if (status !== 0) throw new Error(`the bundle does not load: ${stderr}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
