// Says where Session Manager would do without an opening. Never in the way of one.
import { coversPort } from "../../domain/grant.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import type { Member } from "../../ports/firewall.ts";
import type { App } from "../app.ts";
import { membersOf } from "../group/open-facts.ts";

/** Ports of shells and desktops. */
const PORTS = [22, 3389];
const HOSTS_MAX = 50;
/** An answer does not wait longer for a suggestion. */
const WAIT_MS = 1500;

/** At most one sentence; none where nobody can tell, or it takes too long. Never rejects. */
export async function suggestSession(
  app: App,
  region: string,
  specs: readonly RuleSpec[],
  members: readonly Member[],
): Promise<readonly string[]> {
  const port = PORTS.find((it) => specs.some((spec) => coversPort(spec, it)));
  const reached = [...new Set(specs.flatMap((spec) => membersOf(members, spec)))];
  const ids = [...new Set(reached.flatMap(({ instanceId }) => instanceId ?? []))];
  if (app.hosts === undefined || port === undefined || ids.length === 0 || ids.length > HOSTS_MAX) return [];
  const { hosts, clock } = app;
  const over = new AbortController();
  const asked = hosts().then((it) => it.agents(region, ids));
  const late = clock.sleep(WAIT_MS, over.signal).then(() => null);
  late.catch(() => undefined);
  try {
    const agents = await Promise.race([asked, late]);
    const able = ids.filter((id) => agents?.get(id)?.isOnline && agents.get(id)?.hasSessionManager);
    if (able.length === 0) return [];
    const more = able.length > 3 ? ` and ${able.length - 3} more` : "";
    return [`Session Manager reaches ${able.slice(0, 3).join(", ")}${more} without port ${port} being opened.`];
  } catch {
    return [];
  } finally {
    over.abort();
    asked.catch(() => undefined);
  }
}
