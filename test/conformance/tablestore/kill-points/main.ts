// `npm run kill-points -- [--points n] [--seed text]`: kills the Tablestore engine under load; exits with 1 when it lost or tore anything.
import { parseArgs } from "node:util";
import { runKillPoints } from "./points.ts";

const { values } = parseArgs({
  options: { points: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } },
});
const points = Number(values.points);
if (!Number.isSafeInteger(points) || points < 1) throw new Error("--points takes a whole number from 1 on");

const startedAt = performance.now();
const onPoint = (done: number): void => {
  if (done % 50 === 0) process.stderr.write(`${done} of ${points} points\n`);
};
runKillPoints({ seed: values.seed, points, onPoint }).then((report) => {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(
    `seed ${values.seed}: ${report.points} kill points, ${report.answered} answered writes, ${report.wrong.length} of them wrong, ${seconds} s\n`,
  );
  for (const text of report.wrong) process.stdout.write(`  ${text}\n`);
  process.exitCode = report.wrong.length === 0 ? 0 : 1;
});
