// A process of the program, or a person's machine, in a simulated account.
import { seededRandom } from "../../local/random.ts";
import type { EcsInProcess } from "../../local/services/ecs/start-ecs.ts";
import { actionTrail } from "../../shared/adapters/alibaba/action-trail.ts";
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import type { RpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import type { AddressLists } from "../../shared/ports/address-lists.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { CloudFailure, type Firewall } from "../../shared/ports/firewall.ts";
import type { SendOutcome } from "../../shared/ports/notifier.ts";
import { StoreFailure, type TableName, type Tables } from "../../shared/ports/tables.ts";
import { type Traffic, TrafficFailure, type TrafficReach } from "../../shared/ports/traffic.ts";
import type { App, Settings } from "../../shared/usecases/app.ts";
import { MortalProcess, type ProcessSurroundings } from "../kit/mortal-process.ts";
import type { SimFlowLog } from "./flow-log.ts";
import { inProcessEcs, type Way } from "./in-process-rpc.ts";
import { type HeldLock, type ObservedCall, type ObservedProcess, rulesIn, type SentCall } from "./observed.ts";
import { REGION } from "./sim-account.ts";

/** What the processes of a run share, and whom they are watched by. */
export interface SimSurroundings extends ProcessSurroundings {
  readonly ecs: EcsInProcess;
  readonly settings: Settings;
  /** Null where none is kept. */
  readonly flowLog: SimFlowLog | null;
  /** A wake-up that is to come in so long, by the machine of whoever arms it. */
  readonly onArm: (
    call: { readonly shard: number; readonly at: number; readonly again: number },
    delayMs: number,
  ) => void;
  /** What the trail keeps of an event, by its id; undefined while it is not there. */
  readonly kept: (eventId: string) => Readonly<Record<string, unknown>> | undefined;
  readonly onSend: (call: SentCall) => void;
  readonly onCall: (call: ObservedCall) => void;
  /** A reading is of before. */
  readonly onStale: () => void;
  /** What becomes of a message to people. */
  readonly notice: () => SendOutcome;
  /** Whether lists for lockdowns are switched on. */
  readonly hasLists: () => boolean;
  /** True when an authorize is to be answered without effect. */
  readonly isHollow: () => boolean;
  /** Tables that cannot be used, and how that is answered. */
  readonly failing: ReadonlyMap<TableName, StoreFailure["kind"]>;
  /** True while the store, or the cloud, is away. */
  readonly isAway: (service: "ecs" | "tables" | "trail") => boolean;
}

/** How far back the log tells. */
const REACH: TrafficReach = { retentionMs: 3 * 86_400_000, blind: null, trouble: null, ipv4Only: false };

const isWrite = (action: string): boolean => /^(Authorize|Revoke|Modify|Create|Delete|Join|Leave)/.test(action);

export class SimProcess extends MortalProcess implements ObservedProcess {
  /** How far this machine's clock is ahead, in milliseconds; it may jump. */
  skewMs: number;
  /** Locks that this process has last been given, by name. */
  readonly locks = new Map<string, HeldLock>();
  readonly #around: SimSurroundings;
  readonly #who: string;
  readonly #accessKeyId: string;
  readonly #isProgram: boolean;

  constructor(
    name: string,
    around: SimSurroundings,
    options: {
      readonly who: string;
      readonly accessKeyId: string;
      readonly isProgram: boolean;
      readonly skewMs?: number;
    },
  ) {
    super(name, around);
    this.#around = around;
    this.#who = options.who;
    this.#accessKeyId = options.accessKeyId;
    this.#isProgram = options.isProgram;
    this.skewMs = options.skewMs ?? 0;
  }

  get clock(): Clock {
    const inner = this.#around.schedule.clock((ms) => this.sleep(ms));
    return { ...inner, now: () => inner.now() + this.skewMs };
  }

  #way: Way = ({ action, params, reading }, act) => {
    const { ecs, schedule, dice, trouble, onSend, onCall, onStale, isAway, isHollow } = this.#around;
    const groupId = params["SecurityGroupId"] ?? "";
    const listId = params["PrefixListId"] ?? null;
    const token = params["ClientToken"] ?? "";
    const trueNow = (): number => schedule.clock(() => Promise.resolve()).now();
    if (this.#isProgram && isWrite(action))
      onSend({ process: this, operation: action, groupId, listId, token, at: trueNow() });
    const observed = async (): Promise<Readonly<Record<string, unknown>>> => {
      if (isAway("ecs")) throw new CloudFailure("unknown", action);
      if (!isWrite(action)) {
        if (trouble.stale > 0 && action === "DescribeSecurityGroupAttribute" && dice.happens(trouble.stale)) {
          onStale();
          ecs.faults.set([
            {
              service: "ecs",
              operation: action,
              times: 1,
              fault: { kind: "stale-read", ms: dice.between(100, 20_000) },
            },
          ]);
        }
        return act();
      }
      if (this.#isProgram && action === "AuthorizeSecurityGroup" && isHollow()) return { RequestId: "hollow" };
      const before = rulesIn(ecs.groups(), groupId);
      const tell = (isSuccess: boolean): void =>
        onCall({
          ...{ who: this.#who, process: this.#isProgram ? this : null, operation: action, groupId, params, token },
          // What changes a list changes no rule.
          ...{ before, after: groupId === "" ? before : rulesIn(ecs.groups(), groupId), at: trueNow(), isSuccess },
        });
      try {
        const answer = await act();
        tell(true);
        return answer;
      } catch (error) {
        tell(false);
        throw error;
      }
    };
    const name = isWrite(action)
      ? `${action} ${listId ?? groupId} ${params["SecurityGroupRuleId.1"] ?? params["SecurityGroupRuleId"] ?? params["Permissions.1.PortRange"] ?? ""}`
      : action;
    return this.call(name, "ecs", !reading, observed, (kind) => new CloudFailure(kind, action));
  };

  /** ECS with this process's key. */
  firewall(): Firewall {
    return ecsFirewall(this.#ecs());
  }

  /** Prefix lists with this process's key. */
  lists(): AddressLists {
    return ecsAddressLists(this.#ecs(), [REGION]);
  }

  #ecs(): RpcClient {
    return inProcessEcs(this.#around.ecs, this.#accessKeyId, this.#way, () => this.skewMs);
  }

  #trail(): RpcClient {
    const { kept, isAway } = this.#around;
    return {
      skewMs: () => 0,
      call: (call) =>
        this.call(
          call.action,
          "trail",
          false,
          () => {
            if (isAway("trail")) throw new CloudFailure("unknown", call.action);
            const asked = call.request({} as never).toMap() as { LookupAttribute: readonly { Value: string }[] };
            const event = kept(asked.LookupAttribute[0]?.Value ?? "");
            return { Events: event === undefined ? [] : [event] };
          },
          (kind) => new CloudFailure(kind, call.action),
        ),
    };
  }

  #traffic(log: SimFlowLog): Traffic {
    const lose = (): Error => new TrafficFailure("unavailable", "the simulation has it so", { queries: 1 });
    return {
      reach: () => this.call("flow log", "logs", false, () => REACH, lose),
      read: (ask) => this.call("read flow log", "logs", false, () => log.read(ask), lose),
    };
  }

  #tables(): Tables {
    const { isAway, failing } = this.#around;
    const inner = this.tables();
    /** `tablesOf` tells which tables a call is for. */
    const unlessAway =
      <Input extends readonly unknown[], Output>(
        act: (...input: Input) => Promise<Output>,
        tablesOf: (...input: Input) => readonly TableName[],
      ) =>
      (...input: Input): Promise<Output> => {
        const failed = tablesOf(...input).find((table) => failing.has(table));
        const kind = isAway("tables") ? "unavailable" : failed && failing.get(failed);
        return kind === undefined
          ? act(...input)
          : this.sleep(5).then(() => Promise.reject(new StoreFailure(kind, failed ?? "away")));
      };
    const first = (table: TableName): readonly TableName[] => [table];
    const put: Tables["put"] = async (table, key, columns, condition) => {
      const outcome = await inner.put(table, key, columns, condition);
      if (table === "lock" && outcome === "written")
        this.locks.set(String(key[0]), { fence: Number(columns["fence"]), expiresAt: Number(columns["expiresAt"]) });
      return outcome;
    };
    return {
      get: unlessAway(inner.get, first),
      put: unlessAway(put, first),
      update: unlessAway(inner.update, first),
      delete: unlessAway(inner.delete, first),
      range: unlessAway(inner.range, ({ table }) => [table]),
      writeAll: unlessAway(inner.writeAll, (writes) => writes.map(({ table }) => table)),
      createTables: unlessAway(inner.createTables, () => []),
    };
  }

  /** The program in this process. */
  app(seed: string): App {
    const { clock } = this;
    const { onArm, notice, flowLog } = this.#around;
    const rpc = this.#ecs();
    return {
      clock,
      random: seededRandom(seed),
      firewall: ecsFirewall(rpc),
      inventory: ecsInventory(rpc, clock),
      trail: actionTrail(this.#trail(), clock),
      tables: this.#tables(),
      // Whole seconds, rounded up, as the platform takes them.
      wakeup: {
        arm: async (shard, at, again = 0) =>
          onArm({ shard, at, again }, Math.max(1, Math.ceil((at - clock.now()) / 1000)) * 1000),
      },
      traffic: async () => (flowLog === null ? {} : { flowLog: this.#traffic(flowLog) }),
      metrics: async () => ({ publish: async () => ({ published: 0, calls: 0 }) }),
      lists: async () => ecsAddressLists(rpc, this.#around.hasLists() ? [REGION] : []),
      notifier: { send: () => this.sleep(40).then(() => notice()) },
      log: { write: () => undefined },
      settings: this.#around.settings,
    };
  }
}
