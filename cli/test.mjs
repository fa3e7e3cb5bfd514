// `npm test [-- vitest arguments]`: install and build when needed, then every test.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./prepare.mjs";

prepare().then(() => {
  // In this process, so that signals and exit codes are the test runner's own.
  const runner = join(root, "node_modules", "vitest", "vitest.mjs");
  // What a run of whole files reads of the cloud's switches spares test:switches the files that a reading cannot reach.
  const isPart = process.argv.some((word) => /^(-t|--testNamePattern)(=|$)/.test(word));
  if (!isPart) process.env.SAFEPORT_SWITCH_READS ??= join(root, "node_modules", ".cache", "safeport-switch-reads");
  process.argv = [process.execPath, runner, "run", ...process.argv.slice(2)];
  return import(pathToFileURL(runner).href);
});
