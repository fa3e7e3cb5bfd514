// What `npm start` answers to options, and the program that it runs in the end: it takes none but `--help`. Plain Node, as `prepare.mjs` is.

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

/** Ends the program where there is an option: with the help, or with 2. */
export function answerOptions() {
  const [option] = process.argv.slice(2);
  if (option === undefined) return;
  if (option === "--help" || option === "-h") {
    process.stdout.write(HELP);
    process.exit(0);
  }
  process.stderr.write(`safeport: npm start knows no option ${option}. npm start -- --help tells what it reads.\n`);
  process.exit(2);
}
