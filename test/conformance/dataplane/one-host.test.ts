// A host that is shared: several clouds beside each other, a cloud that was killed, and a scanner that looks at it all.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import TableStore from "tablestore";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { type DataPlane, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount, seedTablestoreInstance, seedUser } from "../../../local/seed.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, anInstance, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { ecsClient } from "../cloud/rpc-call.ts";
import { attempt, ownNet } from "./connect.ts";

const net = ownNet(160);
const tableName = `safeport_host_${process.pid}`;
const noNft = await nftUnusable(tableName);
const noNmap = spawnSync("nmap", ["--version"]).error;
const noTcpdump = spawnSync("tcpdump", ["--version"]).error;
if (noNft !== undefined) console.log(`The nft data plane is not tested here: ${noNft}`);
if (noNmap !== undefined) console.log("What a scanner sees is not tested here: nmap is not installed.");

const web = anEni(`${net}.11`, ["sg-web"]);
const PORT = 5022;
const world = (rules: Parameters<typeof aGroup>[1], listening: readonly number[]) =>
  aTopology({ groups: [aGroup("sg-web", rules)], enis: [web], instances: [anInstance("web-1", web, listening)] });
const start = async (over: { range?: string; tableName?: string } = {}): Promise<DataPlane> => {
  const common = { clock: systemClock, destCidrIp: () => "honoured" as const };
  const plane = await startDataPlane({ engine: "nft", ...common, range: `${net}.0/24`, tableName, ...over });
  onTestFinished(() => plane.stop());
  return plane;
};
const tables = (): string => execFileSync("nft", ["list", "tables"], { encoding: "utf8" });

test("a cloud that lasts, as of npm start, notices nothing of those that come and go beside it, as of npm test", async () => {
  const directory = mkdtempSync(join(tmpdir(), "one-host-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const cloudIn = async (network: string, options: CloudOptions): Promise<Cloud> => {
    const account = seedAccount(seededRandom("safeport seeded account"));
    const instances = account.instances.map((instance) => ({
      ...instance,
      address: instance.address.replace(/^127\.10\./, `${network}.`),
    }));
    const cloud = await startCloud({ range: `${network}.0.0/16`, account: { ...account, instances }, ...options });
    onTestFinished(() => cloud.stop());
    return cloud;
  };
  const tablesOf = ({ account, endpoints }: Cloud) =>
    new TableStore.Client({
      ...seedUser(account, "admin"),
      endpoint: endpoints.tablestore,
      instancename: seedTablestoreInstance,
      maxRetries: 0,
    });
  const makeTable = (cloud: Cloud) =>
    tablesOf(cloud).createTable({
      tableMeta: { tableName: "kept", primaryKey: [{ name: "id", type: TableStore.PrimaryKeyType.STRING }] },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1 },
    });
  const lasting = await cloudIn("127.114", { engine: "auto", directory });
  await makeTable(lasting);
  const account = await lasting.ecs.snapshot();
  const seen = async (): Promise<unknown> => {
    const at = lasting.clock.now();
    return {
      tables: (await tablesOf(lasting).listTable({})).tableNames,
      account: await lasting.ecs.snapshot(),
      open: (await attempt("127.114.0.21", 7890)).kind,
      shut: (await attempt("127.114.0.11", 3306)).kind === "connected",
      isNow: Math.abs(at - Date.now()) < 60_000,
      callers: [...new Set(lasting.calls.since(0).calls.map(({ service }) => service))],
    };
  };
  const before = await seen();
  expect(before).toMatchObject({ tables: ["kept"], open: "connected", shut: false, isNow: true, callers: ["ots"] });

  // Its folder is its own.
  await expect(startCloud({ range: "127.115.0.0/16", engine: "userspace", directory })).rejects.toThrow("another home");

  for (const engine of ["userspace", "auto"] as const) {
    const beside = await cloudIn("127.115", { engine, startMs: Date.UTC(2026, 10, 1) });
    await makeTable(beside);
    const { accessKeyId, accessKeySecret } = seedUser(beside.account, "admin");
    const call = ecsClient(beside, { accessKeyId, accessKeySecret });
    const [web] = account.groups;
    await call("RevokeSecurityGroup", {
      SecurityGroupId: web?.groupId ?? "",
      "SecurityGroupRuleId.1": web?.rules[0]?.ruleId ?? "",
    }).catch(() => undefined);
    beside.faults.set([{ service: "ots", fault: { kind: "drop-before" } }]);
    await beside.advance(40 * 86_400_000);
    expect(await seen()).toEqual(before);
    await beside.reset();
    await beside.stop();
    expect(await seen()).toEqual(before);
  }
});

describe.skipIf(noNft !== undefined)("one host", () => {
  test.skipIf(noNmap !== undefined)(
    "nmap sees exactly the ports that the rules allow and something listens on",
    { timeout: 120_000 },
    async () => {
      const { apply } = await start();
      const rules = [
        aRule({ portRange: "22/22" }),
        aRule({ portRange: "7000/8000", sourceCidrIp: "127.0.0.0/8" }),
        aRule({ portRange: "7891/7891", policy: "Drop" }),
      ];
      await apply(world(rules, [22, 80, 3306, 7890, 7891, 40_000]));
      const scan = spawn("nmap", [
        "-Pn",
        "-n",
        "-p-",
        "-T5",
        "--min-rate",
        "8000",
        "--max-retries",
        "1",
        "-oX",
        "-",
        web.privateIp,
      ]);
      let printed = "";
      scan.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
      await once(scan, "close");
      const open = [...printed.matchAll(/portid="(\d+)"><state state="open"/g)].map(([, port]) => Number(port));
      expect(open).toEqual([22, 7890]);
      // What the rules allow and nobody serves is closed; all the rest says nothing.
      const others = [...printed.matchAll(/<extraports state="(\w+)" count="(\d+)"/g)];
      expect(Object.fromEntries(others.map(([, state, count]) => [state, Number(count)]))).toEqual({
        closed: 999,
        filtered: 64_534,
      });
    },
  );

  test("two clouds beside each other decide for themselves, and one outlives the other", async () => {
    const cloudAt = async (network: string, rules: readonly object[]) => {
      const account = seedAccount(seededRandom(network));
      const groups = [{ groupId: "sg-only", name: "only", rules }];
      const address = `${network}.0.11`;
      const cloud = await startCloud({
        engine: "nft",
        range: `${network}.0.0/16`,
        account: {
          ...account,
          groups,
          instances: [{ instanceId: "i-1", name: network, address, groupIds: ["sg-only"], listening: [PORT] }],
        },
      });
      onTestFinished(() => cloud.stop());
      return { cloud, address };
    };
    const open = [{ portRange: `${PORT}/${PORT}`, sourceCidrIp: "0.0.0.0/0" }];
    const one = await cloudAt("127.116", open);
    const other = await cloudAt("127.117", []);
    expect(await attempt(one.address, PORT)).toEqual({ kind: "connected", text: `127.116 port ${PORT}\r\n` });
    expect(await attempt(other.address, PORT)).toEqual({ kind: "timeout" });
    await other.cloud.reset();
    expect(await attempt(one.address, PORT)).toMatchObject({ kind: "connected" });
    await one.cloud.stop();
    expect(await attempt(other.address, PORT)).toEqual({ kind: "timeout" });
  });

  test("a second cloud cannot take the table of a living one", async () => {
    const first = await start();
    await first.apply(world([], [PORT]));
    await expect(start()).rejects.toThrow(`uses the nftables table ${tableName}`);
    expect(await attempt(web.privateIp, PORT)).toEqual({ kind: "timeout" });
    await first.stop();
    await (await start()).stop();
  });

  test("a table that somebody took away is put back by the next change", async () => {
    const { apply } = await start();
    await apply(world([], [PORT]));
    execFileSync("nft", ["delete", "table", "inet", tableName]);
    await apply(world([aRule({ portRange: "80/80" })], [PORT]));
    expect(await attempt(web.privateIp, PORT)).toEqual({ kind: "timeout" });
  });

  test("the table of a killed cloud is replaced at the next start, and its capture is gone", async () => {
    const child = spawn(process.execPath, [
      "--import",
      "tsx",
      join(import.meta.dirname, "plane-child.ts"),
      ...[`${net}.0/24`, tableName, web.privateIp, String(PORT)],
    ]);
    await once(child.stdout, "data");
    expect(tables()).toContain(`${tableName}\n`);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(tables()).toContain(`${tableName}\n`);
    const plane = await start();
    await plane.apply(world([aRule({ portRange: `${PORT}/${PORT}` })], [PORT]));
    expect(await attempt(web.privateIp, PORT)).toMatchObject({ kind: "connected" });
    if (noTcpdump === undefined) {
      // The dead one's capture would keep the group, and packets would not be seen.
      await plane.recordFlows(() => undefined);
      expect(plane.problems()).toEqual([]);
    }
    await plane.stop();
    expect(tables()).not.toContain(`${tableName}\n`);
  });
});
