// Many groups over ports in memory, for full passes: what is listed, glanced at and looked at is noted, and anything can be made to fail.
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { freshGroupRow, type GroupRow } from "../../../shared/domain/guard.ts";
import type { GroupId, GroupRef } from "../../../shared/domain/ids.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import { CloudFailure, type CloudFailureKind, type Glance, type GroupFacts } from "../../../shared/ports/firewall.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { type Due, dueWrite, readDue } from "../../../shared/store/due.ts";
import { saveGroupRow } from "../../../shared/store/group-rows.ts";
import { schemas } from "../../../shared/store/tables.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { fullPass } from "../../../shared/usecases/operation/full-pass.ts";
import type { LookAt } from "../../../shared/usecases/operation/full-pass-part.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { appWorld, START } from "./app-world.ts";

export const REGION = "cn-hangzhou";
const PAGE = 3;

export interface FullPassWorld {
  readonly app: App;
  readonly tables: Tables;
  policy: Policy;
  /** In the cloud's order. */
  groups: GroupFacts[];
  /** What a glance at a group with this digest, or null, answers; `other` without a mark by default. */
  glances: Map<string, (digest: string | null) => Glance>;
  /** Kinds of failures that a glance at a group ends in, or any list of a region, or `page <cursor>`, or that once: `page <cursor> once`. */
  failures: Map<string, CloudFailureKind>;
  /** Ids of groups glanced at and, as `id cause drift`, looked at; cursors listed; shards woken. In order. */
  readonly glanced: string[];
  readonly looked: string[];
  readonly pages: string[];
  readonly woken: number[];
  /** Groups that a pass cannot be run over. */
  readonly busy: Set<string>;
  readonly errors: string[];
  /** Calls to the clouds after which the time is over. */
  callsLeft: number;
  keepRow(ref: GroupRef, change: Partial<GroupRow>): Promise<void>;
  /** Makes an hourly pass due now. */
  makeDue(): Promise<Due>;
  /** The rows of full passes that are due, in all shards. */
  due(): Promise<readonly Due[]>;
  /** What a tick does: every row that is due. */
  tick(shard?: number): Promise<void>;
  advance(ms: number): void;
}

export const refOf = (id: string): GroupRef => ({ region: REGION, groupId: id as GroupId });

export const factsOf = (id: string, change: Partial<GroupFacts> = {}): GroupFacts => ({
  ref: refOf(id),
  name: `name of ${id}`,
  vpcId: "vpc-1",
  type: "normal",
  serviceManaged: false,
  tags: {},
  ...change,
});

/** So many groups, by default in three parts of 4, 3 and 3 with pages of three; `shards` of the due table. */
export async function fullPassWorld(
  options: {
    readonly groups?: number;
    readonly perPart?: number;
    readonly shards?: number;
    readonly tables?: Tables;
  } = {},
): Promise<FullPassWorld> {
  const { groups = 10, perPart = 4, shards = 1, tables = memoryTables(schemas) } = options;
  const base = await appWorld();
  const world: FullPassWorld = {
    tables,
    policy: defaultPolicy(REGION),
    // The cloud's order is nobody's.
    groups: Array.from({ length: groups }, (_, n) => factsOf(`sg-${(n * 7) % groups}`)),
    glances: new Map(),
    failures: new Map(),
    glanced: [],
    looked: [],
    pages: [],
    woken: [],
    busy: new Set(),
    errors: [],
    callsLeft: Number.POSITIVE_INFINITY,
    app: {
      ...base.app,
      tables,
      wakeup: { arm: async (shard) => void world.woken.push(shard) },
      log: { write: (level, message) => void (level === "error" && world.errors.push(message)) },
      clock: {
        ...base.app.clock,
        monotonicMs: () => (world.callsLeft > 0 ? 0 : 1),
      },
      settings: { ...base.app.settings, shards, fullPassGroups: perPart },
      inventory: {
        ...base.app.inventory,
        groupPage: async (region, cursor) => {
          world.callsLeft -= 1;
          fail(world.failures.get(region));
          world.pages.push(cursor ?? "");
          const key = `page ${cursor ?? ""}`;
          fail(world.failures.get(key));
          const once = world.failures.get(`${key} once`);
          world.failures.delete(`${key} once`);
          fail(once);
          const all = region === REGION ? world.groups : [];
          const from = Number(cursor ?? 0);
          const next = from + PAGE < all.length ? `${from + PAGE}` : null;
          return { groups: all.slice(from, from + PAGE), next };
        },
      },
      firewall: {
        ...base.app.firewall,
        glance: async ({ groupId }, { digest }) => {
          world.callsLeft -= 1;
          world.glanced.push(groupId);
          fail(world.failures.get(groupId));
          return world.glances.get(groupId)?.(digest) ?? { kind: "other", marked: false };
        },
      },
    },
    async keepRow(ref, change) {
      const row: GroupRow = { ...freshGroupRow(ref), ...change };
      await saveGroupRow(tables, row);
    },
    async makeDue() {
      const row: Due = {
        shard: 0,
        at: world.app.clock.now(),
        kind: "full-pass",
        id: "hourly",
        region: "",
        groupId: "" as GroupId,
      };
      await tables.writeAll([dueWrite(row)]);
      return row;
    },
    async due() {
      const found = Array.from({ length: shards }, (_, shard) => readDue(tables, shard, world.app.clock.now(), 1000));
      return (await Promise.all(found)).flatMap((it) => it.due.filter(({ kind }) => kind === "full-pass"));
    },
    async tick(shard) {
      const rows = await world.due();
      for (const row of rows) {
        if (shard !== undefined && row.shard !== shard) continue;
        await fullPass(world.app, row, { policy: world.policy, deadlineAt: 1, look });
      }
    },
    advance: (ms) => base.advance(ms),
  };
  const look = async (group: GroupRef, how: LookAt): Promise<boolean> => {
    const words = [group.groupId, how.cause, how.stateKnown === false ? "lost" : "", how.drift ? "drift" : ""];
    world.looked.push(words.filter((word) => word !== "").join(" "));
    return !world.busy.has(group.groupId);
  };
  return world;
}

function fail(kind: CloudFailureKind | undefined): void {
  if (kind !== undefined) throw new CloudFailure(kind, "Describe");
}

export { START };
