// `npm run fuzz -- --help`
import { refuse, toolOptions } from "../kit/tool-options.ts";
import { fuzz } from "./fuzz.ts";
import { keep } from "./kept.ts";
import { TARGETS } from "./targets.ts";

const HELP = `Usage: npm run fuzz -- [--minutes n] [--target name] [--seed text]

Hands inputs that nobody sends to every parser that outsiders reach. Keeps what it finds in test/fuzz/kept, which every run of the suite
tries again. Exits with 1 when it found anything.

  --minutes n      for so long (1)
  --target name    one parser alone: ${TARGETS.map(({ name }) => name).join(", ")}
  --seed text      the same inputs as a run that told this seed
`;

const { values } = toolOptions(HELP, {
  minutes: { type: "string", default: "1" },
  target: { type: "string" },
  seed: { type: "string", default: `${Date.now()}` },
});
const INPUTS_AT_ONCE = 200;

async function main(): Promise<void> {
  const minutes = Number(values.minutes);
  if (!Number.isFinite(minutes) || minutes <= 0) refuse("--minutes takes a number above 0");
  const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
  if (targets.length === 0) refuse(`--target takes one of: ${TARGETS.map(({ name }) => name).join(", ")}`);
  const until = performance.now() + minutes * 60_000;
  const tried = new Map<string, number>();
  const seen = new Set<string>();
  for (let round = 0; performance.now() < until; round++)
    for (const target of targets) {
      const findings = await fuzz(target, `${values.seed} ${round}`, INPUTS_AT_ONCE);
      tried.set(target.name, (tried.get(target.name) ?? 0) + INPUTS_AT_ONCE);
      for (const finding of findings) {
        // One input for each place it comes from.
        const place = finding.what.split("\n").slice(0, 2).join("\n");
        if (seen.has(`${target.name} ${place}`)) continue;
        seen.add(`${target.name} ${place}`);
        process.stdout.write(`${target.name}: ${keep(finding)}\n  ${place}\n`);
      }
    }
  for (const [name, inputs] of tried) process.stdout.write(`${name}: ${inputs} inputs\n`);
  process.stdout.write(`seed ${values.seed}, ${seen.size} findings\n`);
  process.exitCode = seen.size === 0 ? 0 : 1;
}

void main();
