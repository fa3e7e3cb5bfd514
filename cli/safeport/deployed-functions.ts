// Whose functions stand under this installation's names: `s deploy` would replace another's, and nobody would end that one's leases.
import { fcClient } from "../../shared/adapters/alibaba/fc-client.ts";
import { withDeadline } from "../../shared/adapters/system/deadline.ts";
import { type Account, functionPrefixOf } from "./account.ts";
import type { Surroundings } from "./command.ts";
import type { Finding } from "./finding.ts";
import { CORRECT_KEYS, isOfKeys } from "./remedy.ts";

/** The functions of `s.yaml`, without their prefix. */
export const FUNCTION_NAMES = ["api", "sweep", "audit", "alarm"] as const;

/** What a function has that decides whose it is; changed under a function, its open rules and its rows are nobody's. */
const KEPT_FOR_EVER = ["SAFEPORT_INSTALLATION", "SAFEPORT_MARK_SECRET", "SAFEPORT_TABLESTORE_INSTANCE"] as const;

/** Longer than the SDK waits for an answer, so that one that stops in the middle ends as well. */
const ANSWER_MS = 10_000;

/** A function that is there, with its environment. */
interface DeployedFunction {
  readonly name: string;
  readonly environment: Readonly<Record<string, unknown>>;
}

/** Those of this installation's names that are there. Throws with words where that cannot be seen. */
async function deployedFunctions({ env }: Surroundings, account: Account): Promise<readonly DeployedFunction[]> {
  const found = await Promise.all(FUNCTION_NAMES.map((name) => find(account, `${functionPrefixOf(env)}${name}`)));
  return found.filter((it) => it !== null);
}

/** The names of those that are there and this installation's: what works on its state. Throws as `deployedFunctions`. */
export async function ownFunctions(surroundings: Surroundings, account: Account): Promise<readonly string[]> {
  const { installation } = account.configuration.settings;
  const deployed = await deployedFunctions(surroundings, account);
  return deployed
    .filter(({ environment }) => environment["SAFEPORT_INSTALLATION"] === installation)
    .map(({ name }) => name);
}

/** Throws where one of the names is taken by another installation, or by something that is not safeport's. */
export async function refuseFunctionsOfOthers(surroundings: Surroundings, account: Account): Promise<void> {
  const { installation } = account.configuration.settings;
  for (const { name, environment } of await deployedFunctions(surroundings, account))
    if (environment["SAFEPORT_INSTALLATION"] !== installation)
      throw new Error(`${inWords(name, environment)}. ${OTHER_PREFIX}`);
}

/** What doctor says of them. Whoever deploys looks at this first. */
export async function functionFindings(surroundings: Surroundings, account: Account): Promise<readonly Finding[]> {
  const { configuration } = account;
  const kept = {
    SAFEPORT_INSTALLATION: configuration.settings.installation,
    SAFEPORT_MARK_SECRET: configuration.settings.markSecret,
    SAFEPORT_TABLESTORE_INSTANCE: configuration.endpoints.tablestoreInstance,
  };
  const deployed = await deployedFunctions(surroundings, account);
  const findings = deployed.map(({ name, environment }): Finding => {
    const check = `function ${name}`;
    if (environment["SAFEPORT_INSTALLATION"] !== kept.SAFEPORT_INSTALLATION)
      return { check, state: "fail", found: inWords(name, environment), remedy: OTHER_PREFIX };
    const changed = KEPT_FOR_EVER.filter((variable) => environment[variable] !== kept[variable]);
    if (changed.length === 0) return { check, state: "ok", found: "this installation's", remedy: "" };
    return { check, state: "fail", found: `has another ${changed.join(" and another ")}`, remedy: AS_DEPLOYED };
  });
  const absent = FUNCTION_NAMES.length - deployed.length;
  if (absent === 0) return findings;
  const found = `${absent} of ${FUNCTION_NAMES.length} are not deployed`;
  return [...findings, { check: "functions", state: "warn", found, remedy: "Run s deploy once setup is through." }];
}

const OTHER_PREFIX =
  "Set SAFEPORT_FUNCTION_PREFIX to one that nobody has: s deploy would replace what is there, and nobody would end its leases.";
const AS_DEPLOYED =
  "Set it to what the function has, as open rules and rows are known by it; where it has to change, see docs/operations.md, change secrets.";

function inWords(name: string, environment: DeployedFunction["environment"]): string {
  const other = environment["SAFEPORT_INSTALLATION"];
  return typeof other === "string"
    ? `the function ${name} is of the installation ${other}`
    : `the function ${name} is there and is not safeport's`;
}

async function find({ configuration, credentials }: Account, name: string): Promise<DeployedFunction | null> {
  const { accountId, region, endpoints } = configuration;
  const place = { accountId, region, credentials: () => credentials, endpoint: endpoints.fc };
  const client = fcClient({ ...place, secure: endpoints.fc.startsWith("https:") });
  const late = (): Error => new Error(`Function Compute did not answer what ${name} is. Try again.`);
  try {
    const data = await withDeadline(ANSWER_MS, client.get(`/functions/${name}`), late);
    const { environmentVariables = {} } = data as { environmentVariables?: Readonly<Record<string, unknown>> };
    return { name, environment: environmentVariables };
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code ?? "");
    if (code === "FunctionNotFound") return null;
    if (code === "AccessDenied")
      throw new Error(`these keys may not see whose function ${name} is. Allow fc:GetFunction on functions/${name}.`);
    const remedy = isOfKeys(code) ? CORRECT_KEYS : "Check SAFEPORT_REGION and try again.";
    const why = code || (error instanceof Error ? error.message.split("\n")[0] : String(error));
    throw new Error(`${endpoints.fc} does not tell whose function ${name} is (${why}). ${remedy}`);
  }
}
