// Everything an installation needs in an account beside its functions, in the order in which it is made.
import { newTokenText } from "../../shared/access/token.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import type { Configuration, Credentials } from "../../shared/config/settings.ts";
import { hashSecret, parseToken, TOKEN_BYTES } from "../../shared/domain/token-text.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Tables } from "../../shared/ports/tables.ts";
// biome-ignore-start lint/style/noRestrictedImports: setup runs before there is an API to ask.
import { claimTables, otherOwner, readOwnership } from "../../shared/store/due.ts";
import { readPolicy, writeFirstPolicy } from "../../shared/store/policy.ts";
import { schemas } from "../../shared/store/tables.ts";
import { createToken, listTokens, type StoredToken } from "../../shared/store/tokens.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { alarmSteps } from "./alarms.ts";
import { type CloudPlace, cloudCalls } from "./cloud-call.ts";
import { logSteps } from "./log-project.ts";
import { type RamPolicy, ramPolicyOf } from "./ram-policy.ts";
import { roleSteps } from "./role.ts";
import { tableSteps } from "./state-tables.ts";
import type { Step } from "./steps.ts";

/** What is wanted. */
export interface InstallationWish {
  readonly configuration: Configuration;
  readonly credentials: Credentials;
  /** The checked first policy as JSON text. */
  readonly policyText: string;
  /** Principal of the first admin, and how long its token is good. */
  readonly admin: string;
  readonly tokenDays: number;
  readonly role: string;
  readonly functionPrefix: string;
  readonly logs: { readonly project: string; readonly logstore: string } | null;
  /** Contact groups of CloudMonitor; null for no alarms. */
  readonly contacts: string | null;
  readonly webhook: string | null;
  readonly clock: Clock;
}

/** The steps of setup by what they are about, and the policy of the role. */
export interface InstallationSteps {
  readonly tables: readonly Step[];
  readonly first: readonly Step[];
  readonly role: readonly Step[];
  readonly logs: readonly Step[];
  readonly alarms: readonly Step[];
  readonly ramPolicy: RamPolicy;
}

/** The step that issues one. */
export const ADMIN_TOKEN = "admin token";

const DAY_MS = 86_400_000;

/** Looks at nothing yet. */
export function installationSteps(wish: InstallationWish): InstallationSteps {
  const { configuration, credentials, role, functionPrefix, logs, contacts, webhook, clock } = wish;
  const { endpoints, accountId, settings } = configuration;
  const calls = cloudCalls({ configuration, credentials, clock });
  const ramPolicy = ramPolicyOf({ configuration, functionPrefix, logs });
  const tables = stateOf({ configuration, credentials, clock });
  return {
    tables: tableSteps({ endpoints, credentials, clock }, schemas),
    first: [ownerStep(tables, settings.installation), policyStep(tables, wish.policyText), adminStep(tables, wish)],
    logs:
      logs === null
        ? []
        : logSteps(slsClient({ clock, credentials: () => credentials, endpoint: endpoints.sls }), {
            region: configuration.region,
            ...logs,
          }),
    role: roleSteps(calls, { role, policy: ramPolicy }),
    alarms:
      contacts === null
        ? []
        : alarmSteps((region) => cloudCalls({ configuration: { ...configuration, region }, credentials, clock }), {
            ...{ accountId, installation: settings.installation, contacts, webhook, region: configuration.region },
            evidenceRegions: [...new Set(configuration.flowLogs.map((it) => it.region))],
          }),
    ramPolicy,
  };
}

/** The rows, by the adapter that the functions use. */
export function stateOf({ configuration, credentials, clock }: CloudPlace): Tables {
  const { endpoints } = configuration;
  return tablestoreTables({
    clock,
    random: systemRandom,
    schemas,
    credentials: () => credentials,
    endpoint: endpoints.tablestore,
    instance: endpoints.tablestoreInstance,
  });
}

/** Of two installations that are set up on the same tables at once, the second finds the claim of the first. */
function ownerStep(tables: Tables, installation: string): Step {
  const others = (other: string): string =>
    `the tables are of the installation ${other}: set SAFEPORT_TABLESTORE_INSTANCE to an instance of its own`;
  return {
    id: "owner of the tables",
    async look() {
      const found = await unlessMissing(() => readOwnership(tables));
      const other = found && otherOwner(found, installation);
      if (other !== null) return { state: "wrong", what: others(other) };
      return found?.owner === installation
        ? { state: "ready" }
        : { state: "missing", what: `make the tables those of ${installation}` };
    },
    async make() {
      if (!(await claimTables(tables, installation))) throw new Error(others("that was set up meanwhile"));
      return undefined;
    },
  };
}

function policyStep(tables: Tables, policyText: string): Step {
  return {
    id: "first policy",
    look: async () =>
      (await unlessMissing(() => readPolicy(tables))) === null
        ? { state: "missing", what: "write the first version of the policy" }
        : { state: "ready" },
    async make() {
      await writeFirstPolicy(tables, policyText);
      return undefined;
    },
  };
}

function adminStep(tables: Tables, { admin, tokenDays, clock }: InstallationWish): Step {
  return {
    id: ADMIN_TOKEN,
    async look() {
      const now = clock.now();
      const isGood = ({ roles, expiresAt, revokedAt }: StoredToken): boolean =>
        roles.includes("admin") && expiresAt > now && revokedAt === null;
      const isThere = await unlessMissing(() => someToken(tables, isGood));
      return isThere ? { state: "ready" } : { state: "missing", what: `issue an admin's token to ${admin}` };
    },
    async make() {
      const text = newTokenText(systemRandom);
      const parts = parseToken(text);
      if (parts === null) throw new RangeError("a new token has the wrong form");
      const expiresAt = clock.now() + tokenDays * DAY_MS;
      const salt = Buffer.from(systemRandom.bytes(TOKEN_BYTES.salt)).toString("hex");
      const secretHash = hashSecret(salt, parts.secret);
      const life = { createdAt: clock.now(), createdBy: "setup", expiresAt, revokedAt: null, replacedBy: null };
      const whose = { principal: admin, roles: ["admin"], scope: null, note: "the first" };
      await createToken(tables, { tokenId: parts.tokenId, salt, secretHash, ...whose, ...life });
      return text;
    },
  };
}

async function someToken(tables: Tables, is: (token: StoredToken) => boolean): Promise<boolean> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listTokens>> = await listTokens(tables, { after, limit: 500 });
    if (page.tokens.some(is)) return true;
    after = page.next;
  } while (after !== null);
  return false;
}

/** Null where the table is not there yet: what would be in it is missing too. */
async function unlessMissing<Answer>(read: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await read();
  } catch (error) {
    if ((error as { readonly kind?: unknown }).kind === "tableMissing") return null;
    throw error;
  }
}
