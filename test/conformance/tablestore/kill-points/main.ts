// `npm run kill-points -- [--points n] [--seed text]`: kills the Tablestore engine under load; exits with 1 when it lost or tore anything.
import { toolOptions, wholeNumber } from "../../../kit/tool-options.ts";
import { runKillPoints } from "./points.ts";

const HELP = `Usage: npm run kill-points -- [--points n] [--seed text]

Kills the process of the embedded Tablestore at n points while it writes, and looks whether what it had answered is there. Exits with 1
when anything was lost.

  --points n    so many points (10000)
  --seed text   draws other points (1)
`;

const { values } = toolOptions(HELP, {
  points: { type: "string", default: "10000" },
  seed: { type: "string", default: "1" },
});
const points = wholeNumber("--points", values.points, 1);

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
