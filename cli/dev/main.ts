// `npm start`: the embedded cloud with safeport deployed into it, for trying and developing.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import { readSettings } from "../../shared/config/settings.ts";
import { StoreFailure } from "../../shared/ports/tables.ts";
import { setUpInstallation } from "../setup/installation.ts";
import { policyTextOf } from "../setup/policy-file.ts";
import { writeWhole } from "../setup/secret-files.ts";
import { adoptSeed } from "./adopt-seed.ts";
import { bannerOf } from "./banner.ts";
import { environmentOf, functionsOf, rolePolicyOf } from "./deployment.ts";
import { devRecord } from "./dev-record.ts";
import { answerOptions } from "./help.mjs";
import { watchAccount } from "./monitoring.ts";
import { type DevOptions, readDevOptions } from "./options.ts";
import { keptSecrets, type Secrets } from "./secrets.ts";

const POLICY_FILE = "cli/dev/policy.yaml";
const DIST = "dist";
const TOKEN_DAYS = 365;

async function main(): Promise<void> {
  answerOptions();
  const options = readDevOptions(process.env);
  if (!existsSync(join(DIST, "api", "index.js"))) throw new Error("The functions are not built. Run `npm run build`.");
  const policyText = policyTextOf(readFileSync(POLICY_FILE, "utf8"), POLICY_FILE);
  const secrets = keptSecrets(options.home);
  const recordFile = join(options.home, "dev.json");
  const stop = stopOnce(() => starting, recordFile);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const starting = startCloud(cloudOptions(options));
  const cloud = await starting;
  // One that a killed run left behind would send tools to closed ports; that of a living one could not have been started over.
  rmSync(recordFile, { force: true });
  try {
    await provision(cloud, secrets, policyText);
    cloud.deploy(functionsOf(cloud, secrets, { dist: resolve(DIST) }));
    const adopt = (): Promise<void> => adoptSeed(cloud.endpoints.api, secrets.tokens.admin);
    await adopt();
    cloud.afterReset(async () => {
      await provision(cloud, secrets, policyText);
      await adopt();
    });
    const record = devRecord(cloud, secrets);
    await watchAccount(cloud, record.alarmWebhook);
    writeWhole(recordFile, `${JSON.stringify(record, null, 2)}\n`);
    process.stdout.write(bannerOf(record, recordFile, cloud.dataPlane.problems()));
    process.stdout.write("ready\n");
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

function cloudOptions({ home, ports, engine, network }: DevOptions): Parameters<typeof startCloud>[0] {
  const account = seedAccount(seededRandom("safeport seeded account"));
  const instances = account.instances.map((instance) => ({
    ...instance,
    address: instance.address.replace(/^127\.10\./, `${network}.`),
  }));
  return {
    ports,
    directory: join(home, "cloud"),
    account: { ...account, instances },
    engine,
    range: `${network}.0.0/16`,
    ...(network === "127.10" ? {} : { tableName: `safeport_cloud_${network.replace(".", "_")}` }),
  };
}

async function provision(cloud: Cloud, secrets: Secrets, policyText: string): Promise<void> {
  cloud.ram.attach(seedUserNames.role, [rolePolicyOf(environmentOf(cloud, secrets))]);
  const deployer = seedUser(cloud.account, seedUserNames.admin);
  await setUpInstallation({
    configuration: readSettings(environmentOf(cloud, secrets)),
    credentials: { accessKeyId: deployer.accessKeyId, accessKeySecret: deployer.accessKeySecret },
    policyText,
    tokens: secrets.tokens,
    tokenDays: TOKEN_DAYS,
  });
}

/** The first signal stops in order, also what is still starting; a second one stops at once. */
function stopOnce(starting: () => Promise<Cloud>, recordFile: string): (signal: NodeJS.Signals) => void {
  let stopping = false;
  return () => {
    if (stopping) process.exit(1);
    stopping = true;
    starting()
      .then((cloud) => {
        rmSync(recordFile, { force: true });
        return cloud.stop().then(() => process.exit(0));
      })
      .catch(failed);
  };
}

function failed(error: unknown): void {
  process.stderr.write(`safeport: ${wordsOf(error)}\n`);
  process.exit(1);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What is tried here is not carried from one version to the next.
  if (error instanceof StoreFailure && error.kind === "otherKey")
    return `${error.message} Remove ${readDevOptions(process.env).home}, or start with another folder: SAFEPORT_HOME=.safeport-new npm start.`;
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== "EADDRINUSE") return error.message;
  return `Port ${port ?? "?"} is in use. Stop what uses it, or start with another one: PORT=9200 npm start.`;
}

main().catch(failed);
