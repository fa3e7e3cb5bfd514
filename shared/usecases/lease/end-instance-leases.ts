// Ends the leases of an instance that is stopped or gone: whoever asked for them has nothing to reach any more.
import { isFinal } from "../../domain/lease.ts";
import type { LeaseRequest } from "../../domain/lease-record.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError } from "../../errors/app-error.ts";
import { listLeases } from "../../store/leases.ts";
import type { App } from "../app.ts";
import { tell } from "../notices/tell.ts";
import { endLease } from "./end-lease.ts";

/** What starts after the stop may find the instance running again; at its start that is looked at. */
const beginOf = ({ startAt, requestedAt }: LeaseRequest): number => startAt ?? requestedAt;

const PAGE = 500;
/** Events know whole seconds. */
const SECOND_MS = 1000;
/** Leases are newest first, and none lives longer than this. */
const LEASES_MAX = 20_000;

const isStopped = (state: string): boolean => state === "stopped" || state === "stopping";

/**
 * As \`lease.onInstanceStop\` of the policy says where the instance is stopped, and in any case where it is gone. Answers the leases that were ended: those that were asked for before it stopped, as an event may come late or again when the instance
 * runs anew. One that cannot be ended now is ended when the event comes again, or by its time.
 */
export async function endInstanceLeases(
  app: App,
  policy: Policy,
  event: { readonly instanceId: string; readonly state: string; readonly at: number },
): Promise<readonly string[]> {
  const { onInstanceStop } = policy.lease;
  if (onInstanceStop === "keep" && isStopped(event.state)) return [];
  const ended: string[] = [];
  let before: string | null = null;
  for (let seen = 0; seen < LEASES_MAX; seen += PAGE) {
    const page: Awaited<ReturnType<typeof listLeases>> = await listLeases(app.tables, { limit: PAGE, before });
    const own = page.leases.filter(
      ({ request, status }) =>
        request.instanceId === event.instanceId && beginOf(request) < event.at + SECOND_MS && !isFinal(status.state),
    );
    for (const { request } of own) {
      const principal = `safeport (${event.instanceId} is ${event.state})`;
      try {
        await endLease(app, { principal, roles: ["operator"], scopes: [], policy }, request.leaseId, { dryRun: false });
        ended.push(request.leaseId);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        app.log.write("warn", `the lease ${request.leaseId} of a stopped instance cannot be ended`, {
          code: error.code,
        });
      }
    }
    if (page.next === null) break;
    before = page.next;
  }
  if (onInstanceStop === "end-and-tell" && ended.length > 0) await tellOperators(app, event, ended);
  return ended;
}

async function tellOperators(
  app: App,
  { instanceId, state, at }: { readonly instanceId: string; readonly state: string; readonly at: number },
  ended: readonly string[],
): Promise<void> {
  const target = `${instanceId}, whose leases have ended: ${ended.join(", ")}`;
  const notice = noticeOf("alarmReceived", {
    ...{ at: app.clock.now(), group: null, to: [{ kind: "role", role: "operator" }] },
    dedupe: `${instanceId} ${state} ${at} ${ended.join()}`,
    data: { rule: "lease.onInstanceStop", metric: "the state of the instance", state, target },
  });
  await tell(app, [notice]);
}
