// What the development installation keeps for itself: mark key, tokens and webhook secret, made on the first start.
import { join } from "node:path";
import * as z from "zod";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { parseToken } from "../../shared/domain/token-text.ts";
import { jsonOf } from "../json-text.ts";
import { newRoleTokens } from "../setup/installation.ts";
import { readIfThere, writeWhole } from "../setup/secret-files.ts";

const token = z.string();
const secretsSchema = z.object({
  installation: z.string().min(1),
  markSecret: z.string().min(32),
  alarmSecret: z.string().min(32),
  tokens: z.object({ requester: token, approver: token, operator: token, auditor: token, admin: token }),
});

export type Secrets = z.output<typeof secretsSchema>;

/** The secrets of this home, made when there are none. Throws when they cannot be read, because new ones could not close old leases. */
export function keptSecrets(home: string): Secrets {
  const file = join(home, "secrets.json");
  const text = readIfThere(file);
  if (text === null) {
    const made = newSecrets();
    writeWhole(file, `${JSON.stringify(made, null, 2)}\n`);
    return made;
  }
  const parsed = secretsSchema.safeParse(jsonOf(text));
  if (parsed.success) {
    const { tokens } = parsed.data;
    // Tokens of an earlier form are replaced; all else has to stay what it was.
    if (Object.values(tokens).every((text) => parseToken(text) !== null)) return parsed.data;
    const renewed = { ...parsed.data, tokens: newRoleTokens() };
    writeWhole(file, `${JSON.stringify(renewed, null, 2)}\n`);
    return renewed;
  }
  throw new Error(`${file} cannot be read. Restore it, or remove the folder ${home} to start anew.`);
}

function newSecrets(): Secrets {
  const hex = (bytes: number) => Buffer.from(systemRandom.bytes(bytes)).toString("hex");
  return { installation: `dev-${hex(3)}`, markSecret: hex(32), alarmSecret: hex(24), tokens: newRoleTokens() };
}
