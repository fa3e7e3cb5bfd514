// `npm start`: install and build when needed, then the embedded cloud with safeport deployed into it.
import Module from "node:module";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

const HELP = `Usage: npm start

Starts the embedded cloud with safeport deployed into it: installs and builds what is missing, prints the addresses, a token
and three commands to try, and says "ready". Ctrl-C stops it. State survives in .safeport/.

From the environment, all optional:
  PORT              port of the API (9000); every other service moves by as much
  SAFEPORT_HOME     folder of the state (.safeport)
  SAFEPORT_NETWORK  first two numbers of the instances' addresses (127.10)
  SAFEPORT_ENGINE   auto, nft or userspace: who enforces the rules (auto)
  SAFEPORT_CONTROL_PORT, SAFEPORT_ECS_PORT, SAFEPORT_TABLESTORE_PORT, SAFEPORT_CMS_PORT, SAFEPORT_SLS_PORT, SAFEPORT_FC_PORT,
  SAFEPORT_ACTIONTRAIL_PORT
`;

const [option] = process.argv.slice(2);
if (option === "--help" || option === "-h") {
  process.stdout.write(HELP);
  process.exit(0);
}
if (option !== undefined) {
  process.stderr.write(`safeport: npm start knows no option ${option}. npm start -- --help tells what it reads.\n`);
  process.exit(2);
}

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
