// A function that makes every kind of call through the adapters; the bundle test builds it as functions are built.
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { fcWakeup } from "../../shared/adapters/alibaba/fc-wakeup.ts";
import { ecsRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock as clock } from "../../shared/adapters/system/clock.ts";
import { systemRandom as random } from "../../shared/adapters/system/random.ts";
import { parseCidr } from "../../shared/domain/cidr.ts";
import type { GroupRef, RuleId } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { schemas } from "../../shared/store/tables.ts";

/** Where the services are, and what to work on. */
export interface BundledCallsInput {
  readonly ecs: string;
  readonly tablestore: string;
  readonly fc: string;
  readonly ref: GroupRef;
}

/** What came out of the calls, as JSON can hold it. */
export interface BundledCallsResult {
  readonly opened: number;
  readonly closed: number;
  readonly members: number;
  readonly gone: string;
  readonly outcomes: readonly string[];
  readonly rows: number;
  readonly missing: string;
  readonly logged: readonly string[];
}

/** Opens and closes a rule, writes and reads rows, and arms a wake-up. */
export async function handler(input: BundledCallsInput): Promise<BundledCallsResult> {
  const credentials = () => ({ accessKeyId: "ak", accessKeySecret: "sk" });
  const rpc = ecsRpcClient({ clock, credentials, endpoint: () => input.ecs, protocol: "http" });
  const firewall = ecsFirewall(rpc);
  const cidr = parseCidr("203.0.113.7");
  if (cidr === null) throw new Error("no address");
  const spec: RuleSpec = {
    direction: "ingress",
    protocol: "tcp",
    ports: { kind: "range", range: { from: 22, to: 22 } },
    peer: { kind: "cidr", cidr },
    policy: "accept",
    priority: 1,
    sourcePorts: { kind: "any" },
    dest: null,
  };
  await firewall.authorize(input.ref, [{ spec, description: "bundled" }], "t-1", "open");
  const opened = (await firewall.readGroup(input.ref, "open")).rules;
  const id = opened.find((rule) => rule.description === "bundled")?.id as RuleId;
  await firewall.modify(input.ref, id, { spec, description: "changed" }, "t-2", "open");
  await firewall.revoke(input.ref, [id], "t-3", "end");
  const closed = (await firewall.readGroup(input.ref, "end")).rules;
  const members = await ecsInventory(rpc, clock).members(input.ref, "open");
  const gone = await nameOf(() => firewall.revoke(input.ref, [id], "t-4", "end"));

  const tables = tablestoreTables({
    clock,
    random,
    credentials,
    schemas: schemas,
    endpoint: input.tablestore,
    instance: "safeport",
  });
  await tables.createTables(schemas.filter(({ name }) => name !== "policy"));
  const version = { kind: "equals", column: "version", value: 1 } as const;
  const outcomes = [
    await tables.put("lock", ["a"], { version: 1, text: "端口", flag: true }, { kind: "absent" }),
    await tables.put("lock", ["a"], { version: 1 }, { kind: "absent" }),
    await tables.update("lock", ["a"], { version: 2 }, version),
    await tables.update("lock", ["a"], { version: 2 }, { kind: "atMost", column: "version", value: 1 }),
    await tables.delete("lock", ["a"], { kind: "present" }),
  ];
  await tables.writeAll(
    [1, 2, 3].map((at) => ({ kind: "put", table: "due", key: [0, at, "lease", "x"], columns: {} })),
  );
  const { rows } = await tables.range({ table: "due", from: [0], to: [0, 3], limit: 10 });
  const missing = await nameOf(() => tables.get("policy", ["p", 1]));

  const logged: string[] = [];
  const log = {
    write: (_level: string, message: string, more?: object) => void logged.push(message + JSON.stringify(more)),
  };
  const account = { accountId: "100000000000", region: input.ref.region, functionName: "sweep" };
  const wakeup = fcWakeup({ clock, log, credentials, ...account, endpoint: input.fc });
  await wakeup.arm(3, clock.now() + 10_500);

  return {
    opened: opened.length,
    closed: closed.length,
    members: members.length,
    gone,
    outcomes,
    rows: rows.length,
    missing,
    logged,
  };
}

async function nameOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    const { name, kind } = error as { readonly name?: string; readonly kind?: string };
    return `${name} ${kind}`;
  }
}
