// Accepts that the ledger has closed for a time and keeps, to open them again: with the state nobody would know them any more.
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import type { GroupRef, RuleKey } from "../../shared/domain/ids.ts";
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
// biome-ignore lint/style/noRestrictedImports: the state is looked through before it goes, when there is no API any more.
import { pageEntries } from "../../shared/store/ledger.ts";
import { cloudCalls } from "../setup/cloud-call.ts";
import { stateOf } from "../setup/installation-steps.ts";
import type { Account } from "./account.ts";
import { unlessGone } from "./own-rules.ts";

const PAGE = 1000;

/** What is held back, and the rows of which that cannot be known. */
export interface Held {
  /** Each as `<rule> in <group id>, closed by <lockdown or recycling item>`. */
  readonly rules: readonly string[];
  /** Keys of rows of the ledger. */
  readonly unreadable: readonly string[];
}

/**
 * Rules that were revoked and kept, and of which nothing stands in the cloud. One that somebody has opened again is nobody's loss, nor is
 * one of a group that is gone.
 */
export async function heldRules(account: Account): Promise<Held> {
  const kept = new Map<string, Entry[]>();
  const unreadable: string[] = [];
  const tables = stateOf(account);
  let after: readonly [string, string] | null = null;
  do {
    const page: Awaited<ReturnType<typeof pageEntries>> | null = await unlessGone(
      pageEntries(tables, { after, limit: PAGE }),
    );
    for (const entry of page?.entries ?? []) {
      if (!entry.suspension?.kept?.length) continue;
      const group = `${entry.group.region} ${entry.group.groupId}`;
      kept.set(group, [...(kept.get(group) ?? []), entry]);
    }
    unreadable.push(...(page?.unreadable ?? []));
    after = page?.next ?? null;
  } while (after !== null);
  const rules: string[] = [];
  for (const [, entries] of kept) rules.push(...(await missingOf(account, entries)));
  return { rules, unreadable };
}

async function missingOf(account: Account, entries: readonly Entry[]): Promise<readonly string[]> {
  const [first] = entries;
  const standing = first && (await keysIn(account, first.group));
  if (!standing) return [];
  return entries.filter(({ key }) => !standing.has(key)).map(inWords);
}

function inWords({ key, group, suspension }: Entry): string {
  const by = suspension?.by.map(({ itemId }) => itemId) ?? [];
  return `${key} in ${group.groupId}, ${by.length === 0 ? "about to be opened again" : `closed by ${by.join(", ")}`}`;
}

/** Null where the group is gone. */
async function keysIn(account: Account, group: GroupRef): Promise<ReadonlySet<RuleKey> | null> {
  const { configuration } = account;
  const { ecs } = cloudCalls({ ...account, configuration: { ...configuration, region: group.region } });
  try {
    const { rules } = await ecsFirewall(ecs).readGroup(group, "inventory");
    return new Set(rules.map(ruleKey));
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return null;
    throw error;
  }
}
