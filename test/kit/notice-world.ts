// The outbox and its job over tables in memory, with real receivers on loopback and a clock that only the test moves.
import { seededRandom } from "../../local/random.ts";
import { httpsNotifier } from "../../shared/adapters/notify/notifier.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import { type Notice, type NoticeKind, noticeOf } from "../../shared/domain/notice.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Notifier } from "../../shared/ports/notifier.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { noticeWrites, readOutbox } from "../../shared/store/outbox.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App } from "../../shared/usecases/app.ts";
import { sendNotices } from "../../shared/usecases/notices/send-notices.ts";
import { memoryTables } from "./memory-tables.ts";
import { type Receiver, type ReceiverKind, startReceiver } from "./receivers.ts";

const SECRET = "SEC-of-the-tests";

export interface NoticeWorld {
  readonly tables: Tables;
  readonly receivers: Readonly<Record<string, Receiver>>;
  /** Lines of the log, with their fields. */
  readonly logged: string[];
  policy: Policy;
  now: number;
  /** The program over these ports, or over others that a test puts around them. */
  app(around?: { readonly tables?: Tables; readonly notifier?: (inner: Notifier) => Notifier }): App;
  tell(kind: NoticeKind, dedupe: string, to?: Notice["to"]): Promise<Notice>;
  /** One run of the job. */
  send(app?: App): Promise<number | null>;
  /** Runs of the job, each at the instant that the one before asked for, until nothing waits. Answers how many. */
  drain(app?: () => App): Promise<number>;
  /** Kinds of the notices still in the outbox. */
  waiting(): Promise<readonly (string | undefined)[]>;
  stop(): Promise<void>;
}

const DATA = {
  alarmReceived: { rule: "scan", metric: "packets", state: "ALERT", target: "instanceId=i-1" },
  driftFound: { drift: "dr-1", change: "added", reach: "tcp 3306 from everybody", actor: "bob" },
  driftHeld: { drift: "dr-1", change: "added", reach: "tcp 3306", actor: "bob", heldBy: "hold" },
  leaseOpened: { lease: "ls-1", principal: "ann", ports: "22", until: 0, reason: "test" },
  leaseOverdue: { lease: "ls-1", principal: "ann", dueAt: 0, why: "Forbidden" },
  lockdownStarted: { lockdown: "ld-1", cause: "ddos", groups: 3, core: "80, 443", until: 0, open: "" },
} as const;

/** `targets` by name; each is `otherwise` told of everything. `more` goes into the policy's section. */
export async function noticeWorld(
  targets: Readonly<Record<string, ReceiverKind>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<NoticeWorld> {
  const tables = memoryTables(schemas);
  const receivers: Record<string, Receiver> = {};
  const world = { now: Date.UTC(2026, 10, 27, 8, 0, 0) };
  for (const [name, kind] of Object.entries(targets)) {
    receivers[name] = await startReceiver(kind, SECRET, () => world.now);
  }
  const setting = (name: string): string => name.toUpperCase().replaceAll("-", "_");
  const notifications = {
    targets: Object.fromEntries(
      Object.entries(targets).map(([name, kind]) => [
        name,
        { kind, urlFrom: setting(name), secretFrom: "SIGN", least: "low" },
      ]),
    ),
    otherwise: Object.keys(targets),
    ...more,
  };
  const secrets = new Map(Object.entries(receivers).map(([name, { url }]) => [setting(name), url]));
  secrets.set("SIGN", SECRET);
  const clock = {
    now: () => world.now,
    monotonicMs: () => world.now,
    sleep: async (ms: number) => {
      world.now += ms;
    },
  };
  const notifier = httpsNotifier({
    clock,
    installation: "test",
    privateHosts: Object.values(receivers).map((it) => it.host),
    secret: (name) => secrets.get(name) ?? null,
  });
  const logged: string[] = [];
  const self: NoticeWorld = Object.assign(world, {
    tables,
    receivers,
    logged,
    policy: policyOf(policySchema.parse({ notifications }), 1, "cn-hangzhou"),
    app: (around: Parameters<NoticeWorld["app"]>[0] = {}) => {
      const ports = {
        clock,
        random: seededRandom("notices"),
        tables: around.tables ?? tables,
        notifier: around.notifier?.(notifier) ?? notifier,
        wakeup: { arm: async () => undefined },
        settings: { publicUrl: null, markSecret: "0123456789abcdef0123456789abcdef" },
        log: {
          write: (level: string, line: string, fields?: object) =>
            void logged.push(`${level} ${line} ${JSON.stringify(fields)}`),
        },
      };
      // The job touches no group.
      return ports as unknown as App;
    },
    tell: async (kind: NoticeKind, dedupe: string, to: Notice["to"] = [{ kind: "role", role: "operator" }]) => {
      const data = DATA[kind as keyof typeof DATA];
      const notice: Notice = noticeOf(kind, { at: world.now, group: null, to, dedupe, data: data as never });
      await tables.writeAll(noticeWrites(notice));
      return notice;
    },
    send: async (app: App = self.app()) =>
      (await sendNotices(app, { policy: self.policy, deadlineAt: world.now + 30_000 })).nextAt,
    drain: async (app: () => App = () => self.app()) => {
      for (let runs = 1; runs < 200; runs++) {
        const next = await self.send(app());
        if (next === null) return runs;
        world.now = Math.max(world.now + 1, next);
      }
      throw new Error("the outbox is not told in 200 runs");
    },
    waiting: async () => (await readOutbox(tables, 1000)).pending.map(({ notice }) => notice?.kind),
    stop: async () => {
      await Promise.all(Object.values(receivers).map((it) => it.stop()));
    },
  });
  return self;
}
