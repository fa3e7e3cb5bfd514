// The policy in force, read once per version and process.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { PolicyDocument } from "../shared/config/document-schema.ts";
import { policyOf } from "../shared/config/policy-values.ts";
import type { Policy } from "../shared/domain/policy.ts";
import { fail } from "../shared/errors/app-error.ts";
import type { Log } from "../shared/ports/log.ts";
import type { Tables } from "../shared/ports/tables.ts";
import { type CheckedPolicy, listPolicies, noteChecked, type StoredPolicy } from "../shared/store/policy.ts";

/** What the policy is read with. */
export interface PolicyReading {
  readonly tables: Tables;
  readonly log: Log;
  readonly region: string;
  /** Key of the notes that a version was checked: from the configuration, so that nobody who only writes tables can make one. */
  readonly secret: string;
  /** Names the code that checks policies exactly; null where it has no name. */
  readonly schema: string | null;
}

/** Ways to read the policy. */
export interface PolicyReader {
  /** The policy in force, or the last good one where that cannot be read. Throws NOT_READY before setup, POLICY_UNREADABLE without a good one. */
  readonly readPolicy: () => Promise<Policy>;
  /**
   * As `readPolicy`, but the shipped policy as a stand-in where none can be read: leases have to end whatever has become of the policy,
   * and nothing begins by it.
   */
  readonly readPolicyOrDefault: () => Promise<Policy>;
  /** Waits for what is still to be written. Never rejects. */
  readonly settle: () => Promise<void>;
}

interface ParsedPolicy {
  readonly text: string;
  readonly policy: Policy;
}

/** How many versions are gone back for one that can be read. */
const VERSIONS_BACK = 20;

/** Loaded with the first policy that is to be checked: to build its schema takes as long as all else of a start. */
export const policySchema = () => import("../shared/config/policy-schema.ts");

/**
 * Reads versions as they are stored. A version is checked by its schema once for each build, which then notes so on the row; a process that
 * finds the note of its own build takes the document as it is.
 */
export function policyReader({ tables, log, region, secret, schema }: PolicyReading): PolicyReader {
  let parsed: ParsedPolicy | undefined;
  let noting = Promise.resolve();

  // Of the text that people see, too: a note of another text must not put its own document in this one's place.
  const markOf = (schema: string, text: string, document: string): string =>
    createHmac("sha256", secret)
      .update(JSON.stringify(["safeport policy", schema, text, document]))
      .digest("hex");

  const isChecked = ({ mark }: CheckedPolicy, text: string, document: string): boolean => {
    if (schema === null) return false;
    const [own, theirs] = [Buffer.from(markOf(schema, text, document)), Buffer.from(mark)];
    return own.length === theirs.length && timingSafeEqual(own, theirs);
  };

  const checked = async (row: StoredPolicy): Promise<Policy> => {
    const { documentOfRow } = await policySchema();
    const document = documentOfRow(row);
    const filled = JSON.stringify(document);
    if (schema !== null)
      noting = noteChecked(tables, row.version, {
        mark: markOf(schema, row.text, filled),
        filled: filled === row.text ? null : filled,
      }).catch((cause: unknown) => log.write("warn", "that the policy was checked was not noted", { cause }));
    return policyOf(document, row.version, region);
  };

  const policyOfStored = async (row: StoredPolicy): Promise<Policy> => {
    const document = row.checked?.filled ?? row.text;
    if (row.checked === null || !isChecked(row.checked, row.text, document)) return checked(row);
    return policyOf(JSON.parse(document) as PolicyDocument, row.version, region);
  };

  const lastGood = async (rows: readonly StoredPolicy[]): Promise<ParsedPolicy | null> => {
    for (const row of rows) {
      try {
        return { text: row.text, policy: await policyOfStored(row) };
      } catch {
        // The one before it.
      }
    }
    return null;
  };

  const readPolicy = async (): Promise<Policy> => {
    const [row] = await listPolicies(tables, 1);
    if (row === undefined) throw fail("NOT_READY", { what: "the policy" });
    if (parsed?.policy.version === row.version && parsed.text === row.text) return parsed.policy;
    try {
      parsed = { text: row.text, policy: await policyOfStored(row) };
    } catch (error) {
      log.write("error", `version ${row.version} of the policy cannot be read`, { cause: error });
      const good = await lastGood(await listPolicies(tables, VERSIONS_BACK));
      if (good === null) throw fail("POLICY_UNREADABLE", {}, error);
      parsed = good;
    }
    return parsed.policy;
  };

  return {
    readPolicy,
    readPolicyOrDefault: async () => {
      try {
        return await readPolicy();
      } catch (error) {
        log.write("error", "no policy can be read; things end by the last good or the shipped one", { cause: error });
        return parsed?.policy ?? { ...(await policySchema()).defaultPolicy(region), isStandIn: true };
      }
    },
    settle: () => noting,
  };
}
