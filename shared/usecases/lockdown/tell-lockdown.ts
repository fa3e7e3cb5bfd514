// Keeps what came of closing groups of a lockdown: a record, a notice, and then its row.
import {
  type Lockdown,
  type LockdownGroup,
  type LockdownStep,
  nameOfWay,
  type Passage,
} from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { getLockdown, saveLockdown } from "../../store/lockdowns.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";

/**
 * Record and notice first, then the row; answers it as stored. What was done for an end that was moved since, or before a way was given
 * that the row knows by now, is done once more.
 */
export async function tellLockdown(
  app: App,
  policy: Policy,
  acted: Lockdown,
  closed: ReadonlyMap<string, LockdownGroup>,
  steps: readonly LockdownStep[],
  over: readonly Passage[] = [],
): Promise<Lockdown> {
  const { lockdownId } = acted;
  const gone = new Set(over.map(nameOfWay));
  const known = new Set(acted.groups.flatMap((it) => it.passages ?? []).map(nameOfWay));
  for (let isFirst = true; ; isFirst = false) {
    const lockdown = await getLockdown(app.tables, lockdownId);
    if (!lockdown) throw new Error(`the lockdown ${lockdownId} has no row`);
    const named = (it: LockdownGroup) =>
      [...closed.values()].find(({ name }) => it.way === "unread" && name === it.name);
    const groups = lockdown.groups.map((it) => {
      const outcome = closed.get(it.group.groupId) ?? named(it);
      const isCurrent = lockdown.until === acted.until && (it.passages ?? []).every((way) => known.has(nameOfWay(way)));
      return {
        ...(outcome ? { ...outcome, isClosed: outcome.isClosed && isCurrent } : it),
        ...(it.passages && { passages: it.passages.filter((way) => !gone.has(nameOfWay(way))) }),
      };
    });
    const core = closed.size > 0 ? policy.lockdown.core : lockdown.core;
    const next = { ...lockdown, core, groups, steps: steps.length > 0 ? steps : lockdown.steps };
    const at = app.clock.now();
    const open = groups.filter((it) => !it.isClosed).map((it) => it.name || it.group.groupId);
    if (isFirst) {
      const notice = noticeOf("lockdownStarted", {
        at,
        group: null,
        to: [
          { kind: "role", role: "operator" },
          { kind: "role", role: "admin" },
        ],
        dedupe: `${lockdownId} ${open.join()}`,
        data: {
          lockdown: lockdownId,
          cause: lockdown.causes.map((it) => it.by).join(", "),
          groups: groups.length,
          core: core.join(", "),
          until: lockdown.until,
          open: open.join(", "),
        },
      });
      const lines = [
        `${groups.length - open.length} of ${groups.length} groups are closed but for ${core.join(", ")}`,
        ...groups.flatMap((it) => it.left.map((text) => `${it.group.groupId}: ${text}`)),
        ...steps.map((step) => `${step.name} after ${step.ms} ms`),
        ...(lockdown.waivedBy === null ? [] : [`without an operator path, for which ${lockdown.waivedBy} answers`]),
      ];
      const { principal: actor } = lockdown;
      const cause = `lockdown ${lockdownId}`;
      const decidedBy = lockdown.causes.map((it) => `${it.by}: ${it.decidedBy ?? "lockdown"}`).join("; ");
      const record = {
        ...{ at, group: null, cause, actor, policyVersion: policy.version, lines, decidedBy },
        changes: groups.map((it) => ({
          ...{
            what: `group ${it.group.groupId}`,
            before: "open",
            after: it.isClosed ? "closed but for its core" : "in part",
          },
        })),
      };
      await writeRecord(app, record, noticeWrites(notice));
    }
    const saved = await saveLockdown(app.tables, next);
    if (saved) return saved;
  }
}
