// `npm start`: install and build when needed, then the embedded cloud with safeport deployed into it.
import Module from "node:module";
import { join } from "node:path";
import { answerOptions } from "./dev/help.mjs";
import { prepare, root } from "./prepare.mjs";

answerOptions();

prepare().then(() => {
  hearInterruptOnce();
  // In this process, so that signals and exit codes are the program's own.
  const program = join(root, "dist", "cli", "dev.js");
  process.argv[1] = program;
  Module.runMain(program);
});

/** Ctrl-C arrives twice, from the terminal and from npm: the second must not cut short what the first has begun. */
function hearInterruptOnce() {
  let heardAt = 0;
  process.on("SIGINT", () => {
    const repeated = Date.now() - heardAt < 1000;
    const alone = process.listenerCount("SIGINT") === 1;
    if (alone && !repeated) process.exit(130);
    if (!repeated) heardAt = Date.now();
  });
}
