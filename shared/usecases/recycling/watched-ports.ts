// The ports of rules in quarantine: of those everybody who is refused has to be known.
import { joinSpans, type PortSpan } from "../../domain/port-span.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Tables } from "../../ports/tables.ts";
import { getRecyclingItem, listUnderway } from "../../store/recycling.ts";
import { inParallel } from "../in-parallel.ts";

/** Those of a region. What cannot be read nobody watches, and it is said elsewhere. */
export async function watchedPorts(tables: Tables, region: string): Promise<readonly PortSpan[]> {
  const rules: RuleSpec[] = [];
  await inParallel(await listUnderway(tables), async ({ itemId }) => {
    const item = await getRecyclingItem(tables, itemId).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      return null;
    });
    if (item?.quarantine && item.group.region === region) rules.push(item.kept.spec);
  });
  return joinSpans(rules);
}
