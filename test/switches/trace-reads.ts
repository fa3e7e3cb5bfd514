// Writes down which switches of the embedded ECS the tests of one file read, so that a reading of another is not tried on them:
// up to the first read of a switch everything goes as it went before.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { observeSwitchReads } from "../../local/services/ecs/switch-reads.ts";
import { entryOf } from "./reach.ts";

const folder = process.env["SAFEPORT_SWITCH_READS"];
const read = new Set<string>();

if (folder !== undefined && folder !== "") {
  observeSwitchReads((name) => read.add(name));
  let startedAt = 0;
  beforeAll(() => {
    startedAt = Date.now();
  });
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the names of fixtures from the first argument, and there are none.
  afterAll(({}, suite) => {
    const { file } = suite;
    // A test that failed or was left out may have read more in another run.
    const isWhole = everyTest(file.tasks).every(({ mode, result }) => mode === "skip" || result?.state === "pass");
    if (!isWhole) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, entryOf(file.filepath)), JSON.stringify({ startedAt, switches: [...read].sort() }));
  });
}

interface Task {
  readonly mode: string;
  readonly result?: { readonly state: string };
  readonly tasks?: readonly Task[];
}

const everyTest = (tasks: readonly Task[]): readonly Task[] =>
  tasks.flatMap((task) => (task.tasks === undefined ? [task] : everyTest(task.tasks)));
