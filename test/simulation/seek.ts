// Runs seeds until one breaks an invariant; a process of its own, whose program may have a planted bug.
import { runSeed } from "./run-seed.ts";
import { formatPart, parsePart } from "./script.ts";
import { shrink } from "./shrink.ts";

const [from = 1, seedsMax = 1, shrinkRuns = 0] = process.argv.slice(2, 5).map(Number);
const part = parsePart(process.argv[5] ?? formatPart({}));

async function seek(): Promise<void> {
  for (let n = from; n < from + seedsMax; n++) {
    const { violations } = await runSeed(`${n}`, { part });
    const [first] = violations;
    if (first === undefined) continue;
    const shrunk = shrinkRuns > 0 ? await shrink({ seed: `${n}` }, first.checker, shrinkRuns) : null;
    process.stdout.write(JSON.stringify({ seed: `${n}`, ...first, part: shrunk && formatPart(shrunk.part) }));
    return;
  }
  process.stdout.write("null");
}

void seek();
