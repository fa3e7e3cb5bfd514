// Ends the established sessions of a lease on its hosts once its rule is gone, where that was asked for and can be done.
import { createHash } from "node:crypto";
import type { EntryId, GroupRef, LeaseId } from "../../domain/ids.ts";
import type { Lease, LeaseRequest } from "../../domain/lease-record.ts";
import { parseMark } from "../../domain/mark.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule, RuleSpec } from "../../domain/rule.ts";
import { mergeRules } from "../../domain/verdict.ts";
import { fail } from "../../errors/app-error.ts";
import { isWanted } from "../../plan/group-differences.ts";
import { carriesOurMark } from "../../plan/picture.ts";
import { cutScript, cutWords, otherWayIn, whyNotCut } from "../../plan/session-cut.ts";
import { CloudFailure, type Member } from "../../ports/firewall.ts";
import type { Hosts } from "../../ports/hosts.ts";
import type { Write } from "../../ports/tables.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getLease, writeSessionsOutcome } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { membersOf, readOpenFacts } from "../group/open-facts.ts";
import { inParallel } from "../in-parallel.ts";

/** The job that cuts; its name is in stored rows. */
const JOB = "sessions";
const AGAIN_MS = 5000;
/** Sessions that were not cut by then are told of as they are. */
const GIVE_UP_MS = 10 * 60_000;
const HOSTS_MAX = 50;
const POLL_MS = 400;
const POLLS = 8;

export const SESSIONS_ARE_CUT =
  "Sessions that are established at the end are cut on the hosts, and what came of it is in the lease.";

/** The row that has sessions cut: for the `writeAll` of the end's own due row. */
export const cutWrites = ({ leaseId, sessions }: LeaseRequest, at: number): readonly Write[] =>
  sessions === "cut" ? [dueWrite(dueJob(JOB, leaseId, at))] : [];

/** Throws SESSIONS_NOT_CUT unless every host of the lease has an agent that could do it. */
export async function requireCuttable(
  app: App,
  region: string,
  specs: readonly RuleSpec[],
  members: readonly Member[],
): Promise<void> {
  const refuse = (why: string) => fail("SESSIONS_NOT_CUT", { why });
  if (app.hosts === undefined) throw refuse("Cloud Assistant is not switched on for that (SAFEPORT_CLOUD_ASSISTANT)");
  for (const spec of specs) {
    const why = whyNotCut(spec);
    if (why !== null) throw refuse(why);
  }
  const reached = new Set(specs.flatMap((spec) => membersOf(members, spec)));
  const ids = [...reached].flatMap(({ instanceId }) => instanceId ?? []);
  if (ids.length < reached.size) throw refuse("a network interface in the group belongs to no instance");
  if (ids.length > HOSTS_MAX) throw refuse(`it reaches ${ids.length} instances, and ${HOSTS_MAX} at most are cut`);
  if (ids.length === 0) return;
  const agents = await (await app.hosts()).agents(region, [...new Set(ids)]);
  const without = ids.find((id) => agents.get(id)?.isOnline !== true);
  if (without !== undefined) throw refuse(`the agent of Cloud Assistant does not answer on ${without}`);
}

/**
 * One look at a lease that is to end with its sessions; answers when to look again, or null when it is done. May be repeated: hosts that
 * have not answered by `deadlineAt`, monotonic, are asked the next time.
 */
export async function cutSessions(
  app: App,
  {
    policy,
    param,
    deadlineAt,
  }: { readonly policy: Policy; readonly param: string | null; readonly deadlineAt: number },
): Promise<number | null> {
  const lease = await getLease(app.tables, (param ?? "") as LeaseId);
  if (lease === null || lease.request.sessions !== "cut" || lease.sessionsOutcome !== undefined) return null;
  const { state, until, closedAt } = lease.status;
  const now = app.clock.now();
  if (state === "opening" || state === "open")
    return (await isHeld(app, lease)) ? Math.max(until, now + AGAIN_MS) : now + AGAIN_MS;
  if (state === "closing") return now + AGAIN_MS;
  if (state !== "closed") return null;
  const isLast = now >= (closedAt ?? until) + GIVE_UP_MS;
  const outcome = await outcomeOf(app, lease, deadlineAt).catch((error: unknown) => {
    if (!isLast || !(error instanceof CloudFailure)) throw error;
    return `not cut: ${error.message}`;
  });
  if (outcome === null && !isLast) return now + AGAIN_MS;
  const words = outcome ?? "not known: the hosts do not answer";
  const { leaseId, group } = lease.request;
  const lines = [`sessions of ${leaseId}: ${words}`];
  await writeRecord(app, {
    ...{ at: now, group, cause: `sessions ${leaseId}`, actor: "safeport", policyVersion: policy.version, lines },
  });
  await writeSessionsOutcome(app.tables, leaseId, words);
  return null;
}

/** False once the ledger says that the lease is over: its row follows with the pass that closes it. */
async function isHeld(app: App, { request: { group, leaseId, entryIds } }: Lease): Promise<boolean> {
  const entries = await Promise.all(entryIds.map((entryId) => getEntry(app.tables, group, entryId)));
  return entries.every((entry) => entry?.holders.some((it) => it.holderId === leaseId && it.ended === null));
}

/** What came of it, or null while a host has not answered. */
async function outcomeOf(app: App, { request, status }: Lease, deadlineAt: number): Promise<string | null> {
  if (app.hosts === undefined) return "kept: Cloud Assistant is switched off";
  if (status.preExisting) return "kept: a rule that stood before the lease lets them in";
  const { group, specs } = request;
  const [{ rules }, closed, facts, hosts] = await Promise.all([
    app.firewall.readGroup(group, "end"),
    closedEntries(app, request),
    readOpenFacts(app, group),
    app.hosts(),
  ]);
  // A stale reading shows the rule of the lease still.
  const standing = rules.filter((rule) => !isMarkedFor(app, group, rule, closed));
  const todo = new Map<string, RuleSpec[]>();
  const kept = new Set<string>();
  for (const spec of specs)
    for (const member of membersOf(facts.members, spec)) {
      if (member.instanceId === null) continue;
      const merged = mergeRules([standing, ...member.groupIds.map((id) => facts.siblings.get(id) ?? [])]);
      const other = otherWayIn(spec, merged);
      // Leases of earlier versions may be of what is refused by now.
      const why = whyNotCut(spec);
      if (why !== null) kept.add(`${member.instanceId}: kept, ${why}`);
      else if (other !== null)
        kept.add(
          `${member.instanceId}: kept, another rule ${other.peer.kind === "cidr" ? "lets" : "may let"} them in (${other.id ?? "no id"})`,
        );
      else todo.set(member.instanceId, [...(todo.get(member.instanceId) ?? []), spec]);
    }
  const said = new Map<string, string | null>();
  await inParallel([...todo], async ([instanceId, its]) => {
    said.set(instanceId, await cutOn(app, hosts, request, { instanceId, specs: its, deadlineAt }));
  });
  if ([...said.values()].includes(null)) return null;
  return [...kept, ...said.values()].join("; ") || "kept: no instance is reached any more";
}

/** Those of the lease's entries whose rules have gone with it: nobody else is granted them. */
async function closedEntries(app: App, { group, entryIds }: LeaseRequest): Promise<ReadonlySet<EntryId>> {
  const now = app.clock.now();
  const entries = await Promise.all(entryIds.map((entryId) => getEntry(app.tables, group, entryId)));
  return new Set(entryIds.filter((_, index) => !entries[index] || !isWanted(entries[index], now)));
}

/** True when the rule carries the true mark of one of these entries. */
function isMarkedFor({ settings }: App, group: GroupRef, rule: Rule, entries: ReadonlySet<EntryId>): boolean {
  const entryId = parseMark(rule.description)?.entryId;
  return entryId !== undefined && entries.has(entryId) && carriesOurMark(rule, { group, ...settings });
}

/** Runs the script on one host; a repeated run with the same token is the same run. */
async function cutOn(
  app: App,
  hosts: Hosts,
  { leaseId, group: { region } }: LeaseRequest,
  {
    instanceId,
    specs,
    deadlineAt,
  }: { readonly instanceId: string; readonly specs: readonly RuleSpec[]; readonly deadlineAt: number },
): Promise<string | null> {
  const script = cutScript(specs);
  if (script === null) return `${instanceId}: kept, none of them can be cut`;
  const token = `sp-${createHash("sha256").update(`${leaseId} ${instanceId}\n${script}`).digest("hex").slice(0, 40)}`;
  const isOver = (): boolean => app.clock.monotonicMs() + POLL_MS > deadlineAt;
  try {
    if (isOver()) return null;
    const runId = await hosts.run(region, instanceId, script, token);
    for (let poll = 0; poll < POLLS && !isOver(); poll++) {
      await app.clock.sleep(POLL_MS);
      const result = await hosts.result(region, instanceId, runId);
      if (result.kind === "failed") return `${instanceId}: not cut, ${result.why}`;
      if (result.kind === "done") return cutWords(instanceId, result.exitCode, result.output);
    }
    return null;
  } catch (error) {
    if (error instanceof CloudFailure && (error.kind === "refused" || error.kind === "invalid"))
      return `${instanceId}: not cut, ${error.cloudCode ?? error.message}`;
    throw error;
  }
}
