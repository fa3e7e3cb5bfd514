// A storm of alarms through the webhook, as a monitoring posts them: what is answered, what is stored, and how much memory it takes.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../local/cloud.ts";
import { seededRandom } from "../local/random.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../local/seed.ts";
import { tablestoreTables } from "../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../shared/adapters/system/clock.ts";
import { alarmIdOf } from "../shared/domain/alarm.ts";
import { readAlarmPost } from "../shared/events/alarm-post.ts";
import { getAlarm } from "../shared/store/alarms.ts";
import { listLockdowns } from "../shared/store/lockdowns.ts";
import { schemas } from "../shared/store/tables.ts";
import { type Built, type Installation, startInstallation } from "./installation.ts";
import { percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";

const POSTS = 1000;
const POSTS_SHORT = 200;
const SECONDS = 10;
const ALARMS = 20;
/** What was stored and not acted on by then is acted on by the job, whose rows are due by now. */
const JOB_AFTER_MS = 31_000;
const EXTRA_GROUPS = 3;
/** As the monitoring does: it waits five seconds, and tries three times more. Source: CloudMonitor alarm callbacks. The pause is ours. */
const WAIT_MS = 5000;
const TRIES = 4;
const PAUSE_MS = 1000;
/** A function has at most so many instances at once (`reservedConcurrency` of s.yaml). */
const INSTANCES_MAX = 20;
/** What one instance of `alarm` may have taken at its highest. */
const INSTANCE_MB_MAX = 160;

/** In the cloud each instance has a processor of its own; here they share what there is. */
const INSTANCES = availableParallelism() + 1;

/** What a storm is sent to: an installation in which every alarm of it asks for one lockdown, of the first added group. */
export const stormInstallation = (built: Built): Promise<Installation> =>
  startInstallation(built, {
    ...{ groups: EXTRA_GROUPS, timer: false, instancesMax: INSTANCES },
    policy: (text) =>
      text.replace("alarms:\n", "alarms:\n  - { metric: storm, do: lockdown, scope: { groups: [bench-0] } }\n"),
  });

/** What came of a storm. */
export interface Storm {
  readonly posts: number;
  /** Posts that were not answered by 200 in any of their tries. */
  readonly unanswered: number;
  /** Tries beyond the first. */
  readonly retries: number;
  /** Milliseconds to each answer, the last try of each post. */
  readonly answersMs: readonly number[];
  /** The last telling of each alarm that was answered, by its id. */
  readonly latest: ReadonlyMap<string, number>;
  /** Of each process of the function that is there at the end: the most memory it has had, MB. */
  readonly memoryMb: readonly number[];
}

/** Posts `posts` alarms of twenty kinds, evenly over `withinMs`, without waiting for answers. The cloud has to run on real time. */
export async function postStorm(
  cloud: Pick<Cloud, "clock" | "functions">,
  webhook: string,
  { posts, withinMs }: { readonly posts: number; readonly withinMs: number },
): Promise<Storm> {
  const startedAt = cloud.clock.now();
  const latest = new Map<string, number>();
  const answersMs: number[] = [];
  let [retries, unanswered] = [0, 0];
  const one = async (index: number): Promise<void> => {
    const afterMs = Math.floor((index / posts) * withinMs);
    const form = new URLSearchParams({
      ...{ alertName: `storm-${index % ALARMS}`, ruleId: `storm-${index % ALARMS}`, metricName: "storm" },
      ...{ alertState: "ALERT", triggerLevel: "CRITICAL", namespace: "acs_ecs_dashboard" },
      ...{ dimensions: "{instanceId=i-storm, userId=1}", timestamp: String(startedAt + afterMs) },
    });
    const text = form.toString();
    const alarm = readAlarmPost(Buffer.from(text), "", startedAt + afterMs);
    const alarmId = alarmIdOf(alarm);
    await sleep(afterMs);
    const sentAt = performance.now();
    for (let tries = 1; tries <= TRIES; tries++) {
      const answer = await fetch(webhook, { method: "POST", body: form, signal: AbortSignal.timeout(WAIT_MS) }).catch(
        () => null,
      );
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.status === 200) {
        answersMs.push(performance.now() - sentAt);
        latest.set(alarmId, Math.max(alarm.at, latest.get(alarmId) ?? 0));
        return;
      }
      if (tries === TRIES) break;
      retries += 1;
      await sleep(PAUSE_MS);
    }
    unanswered += 1;
  };
  await Promise.all(Array.from({ length: posts }, (_, index) => one(index)));
  const memoryMb = cloud.functions.registry.pids("alarm").map(peakMemoryMb);
  return { posts, unanswered, retries, answersMs, latest, memoryMb };
}

/** What is stored of a storm: alarms whose last answered telling is missing or was not acted on, and every lockdown. */
export async function storedOf(cloud: Cloud, { latest }: Storm) {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const tables = tablestoreTables({
    ...{ clock: systemClock, random: seededRandom("storm"), schemas, instance: seedTablestoreInstance },
    ...{ endpoint: cloud.endpoints.tablestore, credentials: () => ({ accessKeyId, accessKeySecret }) },
  });
  const lost: string[] = [];
  for (const [alarmId, at] of latest) {
    const stored = await getAlarm(tables, alarmId);
    // A telling whose sender did not wait for the answer may have been taken, too.
    if (stored === null || stored.alarm.at < at || !stored.isHandled) lost.push(alarmId);
  }
  return { lost, lockdowns: await listLockdowns(tables, 100) };
}

/** A thousand posts in ten seconds. Prints what came of it; answers whether it was one lockdown, with no alarm lost and memory bounded. */
export async function benchAlarmStorm(built: Built, isShort: boolean): Promise<boolean> {
  const posts = isShort ? POSTS_SHORT : POSTS;
  const withinMs = (SECONDS * 1000 * posts) / POSTS;
  const installation = await stormInstallation(built);
  const { cloud, alarmWebhook, tick, groupIds } = installation;
  try {
    progress("posts");
    const storm = await postStorm(cloud, alarmWebhook, { posts, withinMs });
    await sleep(JOB_AFTER_MS);
    await tick();
    progress("");
    const { lost, lockdowns } = await storedOf(cloud, storm);
    const causes = new Set(lockdowns.flatMap((it) => it.causes.map(({ by }) => by)));
    const drops = cloud.ecs
      .groups()
      .find((it) => it.groupId === groupIds[0])
      ?.rules.filter((it) => it.policy === "Drop");
    const most = Math.max(...storm.memoryMb);
    row("posts, seconds", `${posts}, ${withinMs / 1000}`);
    row("unanswered; tries beyond the first", `${storm.unanswered}; ${storm.retries}`);
    row(
      "answered after, p50 and last",
      `${[50, 100].map((it) => percentile(storm.answersMs, it).toFixed(0)).join(", ")} ms`,
    );
    row("alarms; lost", `${storm.latest.size}; ${lost.length}`);
    row("lockdowns; their causes; drops", `${lockdowns.length}; ${causes.size}; ${drops?.length ?? 0}`);
    row("instances; the most one has taken", `${storm.memoryMb.length}; ${most.toFixed(0)} MB`);
    return verdict(
      `one lockdown, no lost alarm, at most ${INSTANCES_MAX} x ${INSTANCE_MB_MAX} MB`,
      storm.unanswered === 0 &&
        lost.length === 0 &&
        lockdowns.length === 1 &&
        causes.size === storm.latest.size &&
        storm.memoryMb.length <= INSTANCES_MAX &&
        most <= INSTANCE_MB_MAX,
    );
  } finally {
    await installation.stop();
  }
}

/** The highest resident memory of a process, MB, as the kernel keeps it; 0 where there is none. */
function peakMemoryMb(pid: number): number {
  try {
    const [, kilobytes = "0"] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return 0;
  }
}
