// The README's story, told by the program itself: real processes, real sockets, and every way it can be interrupted.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tablestore from "tablestore";
import { expect, it, onTestFinished } from "vitest";
import { removeTable } from "../../local/dataplane/nft-process.ts";
import { attempt } from "../conformance/dataplane/connect.ts";
import { type ApiAnswer, callApi } from "../kit/deployed.ts";
import { claimNetwork } from "../kit/deployed-network.ts";
import { type Program, running, startProgram } from "../kit/deployed-program.ts";

const OTHER = "127.0.0.2";
const MINUTE_MS = 60_000;

/** A home and a place on this machine for programs that follow one another. */
async function stage() {
  const home = mkdtempSync(join(tmpdir(), "safeport-story-"));
  const { network, release } = await claimNetwork();
  let program: Program | undefined;
  onTestFinished(async () => {
    const nft = program?.record.dataPlane === "nft";
    await program?.stop();
    if (nft) await removeTable(`safeport_cloud_${network.replace(".", "_")}`);
    release();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    home,
    start: async (): Promise<Story> => {
      program = await startProgram(home, network);
      return storyOf(program);
    },
  };
}

interface Story {
  readonly program: Program;
  /** What somebody at this address meets at port 22 of web-1: `open`, or `closed` in the way of the data plane. */
  ssh(from?: string): Promise<"open" | "closed">;
  open(): Promise<ApiAnswer>;
  advance(ms: number): Promise<void>;
  /** Rules of the enforced group web as the cloud has them, by port. */
  rulesOfWeb(): Promise<Record<string, string>>;
}

function storyOf(program: Program): Story {
  const { record } = program;
  const address = record.instances.find(({ name }) => name === "web-1")?.address ?? "";
  return {
    program,
    ssh: async (from = "127.0.0.1") => {
      const met = await attempt(address, record.mappedPorts[`${address}:22`] ?? 22, from);
      if (met.kind === "connected" && met.text !== "") return "open";
      // With nft a closed port is silent, in user space the gateway resets.
      if (record.dataPlane === "nft") expect(met).toEqual({ kind: "timeout" });
      return "closed";
    },
    open: () => callApi(record.api, "PUT", "/safeport/temp_allow?port=22&period=60", { token: record.token }),
    advance: async (ms) => {
      const { status } = await callApi(record.control, "POST", "/clock/advance", { body: { ms } });
      expect(status).toBe(200);
    },
    rulesOfWeb: () => rulesOf(record, "web"),
  };
}

async function rulesOf(record: Program["record"], name: string): Promise<Record<string, string>> {
  const group = record.groups.find((it) => it.name === name)?.groupId ?? "";
  const { default: Ecs, DescribeSecurityGroupAttributeRequest: Ask } = await import("@alicloud/ecs20140526");
  const { $OpenApiUtil } = await import("@alicloud/openapi-core");
  const client = new Ecs(
    new $OpenApiUtil.Config({
      accessKeyId: record.accessKeyId,
      accessKeySecret: record.accessKeySecret,
      endpoint: record.endpoints.ecs,
      protocol: "http",
      regionId: record.region,
    }),
  );
  const answer = await client.describeSecurityGroupAttribute(
    new Ask({ regionId: record.region, securityGroupId: group }),
  );
  const rules = answer.body?.permissions?.permission ?? [];
  return Object.fromEntries(rules.map((rule) => [rule.portRange ?? "", rule.securityGroupRuleId ?? ""]));
}

/** Everything that safeport keeps in Tablestore, deleted as an operator could by mistake. */
async function deleteTables({ record }: Program): Promise<number> {
  const client = new tablestore.Client({
    accessKeyId: record.accessKeyId,
    secretAccessKey: record.accessKeySecret,
    endpoint: record.endpoints.tablestore,
    instancename: record.tablestoreInstance,
  });
  const names: string[] = (await client.listTable({})).tableNames ?? [];
  for (const tableName of names) await client.deleteTable({ tableName });
  return names.length;
}

it("opens port 22 for the caller alone, and closes it when the minute is over", async () => {
  const { start } = await stage();
  const { ssh, open, advance, rulesOfWeb } = await start();
  const before = await rulesOfWeb();
  expect(await ssh()).toBe("closed");

  const answer = await open();
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.body).toMatchObject({
    state: "open",
    sources: ["127.0.0.1/32"],
    reach: { hosts: [{ name: "web-1" }], ports: "22", sources: ["127.0.0.1/32"] },
  });
  expect([await ssh(), await ssh(OTHER)]).toEqual(["open", "closed"]);

  await advance(MINUTE_MS - 5_000);
  expect(await ssh()).toBe("open");
  await advance(7_000);
  expect([await ssh(), await ssh(OTHER)]).toEqual(["closed", "closed"]);
  expect(await rulesOfWeb()).toEqual(before);
});

it("is killed half-way with all its processes; started again, it closes what it had opened", async () => {
  const { start } = await stage();
  const first = await start();
  const before = await first.rulesOfWeb();
  expect((await first.open()).body.state).toBe("open");
  expect(await first.ssh()).toBe("open");

  const started = await first.program.kill();
  // At least the instance that answered, and the shell that watches over instances.
  expect(started.length).toBeGreaterThanOrEqual(2);
  await expect.poll(() => running(started), { timeout: 10_000 }).toEqual([]);

  const second = await start();
  expect([await second.ssh(), await second.ssh(OTHER)]).toEqual(["open", "closed"]);
  await second.advance(MINUTE_MS + 2_000);
  expect(await second.ssh()).toBe("closed");
  expect(await second.rulesOfWeb()).toEqual(before);
});

it("loses its tables while a lease is open, and closes it from the mark, touching nothing else", async () => {
  const { start } = await stage();
  const { program, ssh, open, advance, rulesOfWeb } = await start();
  const before = await rulesOfWeb();
  expect(Object.keys(before).sort()).toEqual(["443/443", "80/80"]);
  expect((await open()).body.state).toBe("open");
  expect(await deleteTables(program)).toBeGreaterThan(5);

  await advance(MINUTE_MS + MINUTE_MS);
  expect(await ssh()).toBe("closed");
  expect(await rulesOfWeb()).toEqual(before);
});

it("is killed and started again without its Tablestore files, and closes the lease from the mark", async () => {
  const { start, home } = await stage();
  const first = await start();
  const before = await first.rulesOfWeb();
  expect((await first.open()).body.state).toBe("open");
  await first.program.kill();
  const folder = join(home, "cloud", "tablestore");
  expect(readdirSync(folder).length).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });

  const second = await start();
  expect(await second.ssh()).toBe("open");
  await second.advance(MINUTE_MS + MINUTE_MS);
  expect(await second.ssh()).toBe("closed");
  expect(await second.rulesOfWeb()).toEqual(before);
  // It is in service again, and what it does now is kept.
  expect((await second.open()).body.state).toBe("open");
});
