// Setting up an installation: tables, first policy and tokens, through the same adapters that the functions use.
import { newTokenText } from "../../shared/access/token.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import type { Configuration, Credentials } from "../../shared/config/settings.ts";
import { ROLES, type Role } from "../../shared/domain/permission.ts";
import { hashSecret, parseToken, TOKEN_BYTES } from "../../shared/domain/token-text.ts";
// biome-ignore-start lint/style/noRestrictedImports: setup runs before there is an API to ask, so it calls its one use case itself.
import { schemas } from "../../shared/store/tables.ts";
import { type SetUpReport, setUp } from "../../shared/usecases/operation/set-up.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above

/** A token's text for each role. */
export type RoleTokens = Readonly<Record<Role, string>>;

/** What is needed to set an installation up. */
export interface InstallationOrder {
  readonly configuration: Pick<Configuration, "endpoints" | "settings">;
  readonly credentials: Credentials;
  /** The checked policy document as JSON text. */
  readonly policyText: string;
  /** Tokens to keep; null for none. Each speaks for the principal of its role's name. */
  readonly tokens: RoleTokens | null;
  readonly tokenDays: number;
}

/** A fresh token for each role. */
export function newRoleTokens(): RoleTokens {
  const entries = ROLES.map((role): [Role, string] => [role, newTokenText(systemRandom)]);
  return Object.fromEntries(entries) as Record<Role, string>;
}

const DAY_MS = 86_400_000;

/** Creates what is missing. Repeating it changes nothing but the tokens' expiry. */
export async function setUpInstallation(order: InstallationOrder): Promise<SetUpReport> {
  const { endpoints } = order.configuration;
  const tables = tablestoreTables({
    clock: systemClock,
    random: systemRandom,
    schemas,
    credentials: () => order.credentials,
    endpoint: endpoints.tablestore,
    instance: endpoints.tablestoreInstance,
  });
  const expiresAt = systemClock.now() + order.tokenDays * DAY_MS;
  const tokens = Object.entries(order.tokens ?? {}).map(([role, text]) => {
    const parts = parseToken(text);
    if (parts === null)
      throw new Error(`The token of the role ${role} has the wrong form; remove it to have a new one.`);
    const roles = ROLES.filter((each) => each === role);
    const salt = Buffer.from(systemRandom.bytes(TOKEN_BYTES.salt)).toString("hex");
    const secretHash = hashSecret(salt, parts.secret);
    const life = { createdAt: systemClock.now(), createdBy: "setup", expiresAt, revokedAt: null, replacedBy: null };
    return { tokenId: parts.tokenId, salt, secretHash, principal: role, roles, scope: null, note: "", ...life };
  });
  const { installation } = order.configuration.settings;
  return setUp(tables, { installation, policyText: order.policyText, tokens });
}
