// `npm start`: install and build when needed, then the embedded cloud with safeport deployed into it.
import Module from "node:module";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

prepare().then(() => {
  // In this process, so that signals and exit codes are the program's own.
  const program = join(root, "dist", "cli", "dev.js");
  process.argv[1] = program;
  Module.runMain(program);
});
