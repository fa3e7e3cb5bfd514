// Queues rules early because an alarm says that nothing comes in: those for its port, of its host's groups.

import { type AlarmSubject, OPTIMISE_JOB, parseSubject, subjectText } from "../../domain/alarm.ts";
import { dayAfter, dayOf } from "../../domain/evidence.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { PLACE, placeOf, placeText } from "../../domain/recycling-place.ts";
import { coversPort } from "../../plan/weigh-peer.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listUse } from "../../store/evidence.ts";
import type { App } from "../app.ts";
import { findHost } from "../group/find-host.ts";
import { membersOf } from "../group/open-facts.ts";
import type { JobRun } from "../operation/job-run.ts";
import { IDLE_AFTER_HOURS, LOOK_BACK_DAYS } from "./publish-use.ts";
import { type RecyclingRun, recycle } from "./recycle.ts";
import type { EarlyTerms } from "./recycle-group.ts";

/** What is idle for 72 hours of whole evidence enters the queue, and its owner is told; it goes on by the policy's whole window. */
const WINDOW_DAYS = IDLE_AFTER_HOURS / 24;
/** Calls that are used up are there again in the next minute. */
const LATER_MS = 60_000;

/** What an alarm's run is about, and where it goes on over all groups. */
interface Errand {
  readonly subject: AlarmSubject;
  readonly place: string | null;
}

const errandText = (subject: AlarmSubject, place: string): string => `${subjectText(subject)}|${place}`;

function errandOf(param: string | null): Errand {
  if (param === null || PLACE.test(param)) return { subject: parseSubject(""), place: param };
  const bar = param.indexOf("|");
  if (bar < 0) return { subject: parseSubject(param), place: null };
  return { subject: parseSubject(param.slice(0, bar)), place: param.slice(bar + 1) };
}

/** The alarm only says where to look. `param` is what it is about (`subjectText`), null for everything, and where a run goes on. */
export async function optimiseInstance(
  app: App,
  { policy, param, deadlineAt }: Pick<JobRun, "policy" | "param" | "deadlineAt">,
): Promise<null> {
  // The shipped policy stands in where none can be read.
  if (policy.version === 0) return null;
  const { subject, place } = errandOf(param);
  const only = subject.host === null ? null : await groupsOf(app, policy, subject.host);
  const windowDays = Math.min(WINDOW_DAYS, policy.recycling.windowDays);
  const early: RecyclingRun["early"] = { windowDays, only, concerns: await concernOf(app, policy, subject) };
  const terms = { policy, deadlineAt, dryRun: false, early };
  const { failed, next, later } = await recycle(app, { ...terms, from: placeOf(place) });
  if (next !== null) {
    const again = app.clock.now() + (later === null ? 1000 : LATER_MS);
    await app.tables.writeAll([dueWrite(dueJob(OPTIMISE_JOB, errandText(subject, placeText(next)), again))]);
  }
  // The sweep runs a job again that fails.
  if (only !== null) for (const { group, why } of failed) throw new Error(`${group} cannot be judged yet: ${why}`);
  return null;
}

async function groupsOf(app: App, policy: Policy, host: string): Promise<readonly GroupRef[]> {
  const found = await findHost(app, policy.regions, host, "inventory");
  const ids = new Set(found?.members.flatMap(({ groupIds }) => groupIds));
  return [...ids].map((groupId) => ({ region: found?.region ?? "", groupId }));
}

interface NamedPort {
  readonly protocol: string;
  readonly port: number;
}

/** Which rules the alarm speaks of. One that names nothing is of the ports that are counted for it: used lately, and not for 72 hours. */
async function concernOf(
  app: App,
  policy: Policy,
  { host, protocol, port }: AlarmSubject,
): Promise<EarlyTerms["concerns"]> {
  const named = port === null ? null : [protocol ?? ["tcp", "udp"]].flat().map((it) => ({ protocol: it, port }));
  if (host !== null || named !== null)
    return (rule, members) =>
      (named === null || named.some((it) => coversPort(rule, it))) &&
      membersOf(members, rule).some(({ eniId, instanceId }) => host === null || host === eniId || host === instanceId);
  const idle = await portsWithoutTraffic(app, policy);
  return (rule, members) =>
    membersOf(members, rule).some(({ eniId, instanceId }) =>
      [eniId, instanceId ?? ""].some((name) => idle.get(name)?.some((it) => coversPort(rule, it)) === true),
    );
}

/** By interface or instance. */
async function portsWithoutTraffic(app: App, { regions }: Policy): Promise<ReadonlyMap<string, readonly NamedPort[]>> {
  const now = app.clock.now();
  const since = now - IDLE_AFTER_HOURS * 3_600_000;
  const lastAt = new Map<string, Map<string, NamedPort & { readonly at: number }>>();
  for (const region of regions)
    for (const { member, ports } of await listUse(
      app.tables,
      region,
      dayAfter(dayOf(now), -LOOK_BACK_DAYS),
      dayAfter(dayOf(now), 1),
    ))
      for (const { protocol, port, lastAt: at } of ports) {
        const known = lastAt.get(member) ?? new Map<string, NamedPort & { readonly at: number }>();
        const name = `${protocol} ${port}`;
        if (at > (known.get(name)?.at ?? 0)) known.set(name, { protocol, port, at });
        lastAt.set(member, known);
      }
  return new Map([...lastAt].map(([member, ports]) => [member, [...ports.values()].filter(({ at }) => at <= since)]));
}
