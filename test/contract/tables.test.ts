// The tables port: one suite on every implementation, and what only a network can do to the real one.
import net from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore, type TablestoreFault } from "../../local/services/tablestore/server.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { TableSchema, Tables } from "../../shared/ports/tables.ts";
import { memoryTables } from "../kit/memory-tables.ts";
import { missingSchema, suiteSchemas, tablesSuite } from "./tables-suite.ts";

const SECRET = "secret";
const schemas = [...suiteSchemas, missingSchema];

let service: Tablestore;
let fault: ((operation: string) => TablestoreFault | undefined) | undefined;
let calls: string[] = [];

beforeAll(async () => {
  service = await startTablestore({
    clock: systemClock,
    random: seededRandom("tables"),
    instances: ["safeport"],
    credentials: (id) => (id === "ak" ? { secret: SECRET } : undefined),
    onCall: ({ operation }) => void calls.push(operation),
    intercept: ({ operation }) => fault?.(operation),
  });
});
afterEach(() => {
  fault = undefined;
});
afterAll(async () => {
  await service.stop();
});

function connect(
  settings: { endpoint?: string; secret?: string; timeoutMs?: number; schemas?: readonly TableSchema[] } = {},
): Tables {
  return tablestoreTables({
    endpoint: settings.endpoint ?? service.url,
    instance: "safeport",
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: settings.secret ?? SECRET }),
    clock: systemClock,
    random: seededRandom("writes"),
    schemas: settings.schemas ?? schemas,
    ...(settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs }),
  });
}

/** Fails the first calls of an operation. */
function failing(operation: string, ...faults: readonly TablestoreFault[]): void {
  const left = [...faults];
  fault = (called) => (called.toLowerCase() === operation.toLowerCase() ? left.shift() : undefined);
}

const busy: TablestoreFault = { kind: "reject", status: 503, code: "OTSServerBusy", message: "Server is busy." };

describe("tables in memory", () => {
  tablesSuite(async () => memoryTables());
});

describe("tables on Tablestore", () => {
  tablesSuite(async () => {
    await service.reset();
    return connect();
  });

  it("says which table has another key than is used, as one of an earlier version has", async () => {
    await service.reset();
    await connect().createTables(suiteSchemas);
    const [first, ...others] = suiteSchemas;
    if (first === undefined) throw new Error("no table");
    const longer = { ...first, key: [...first.key, { name: "more", type: "string" as const }] };
    const schemasOfNow = [longer, ...others];
    const error = await connect({ schemas: schemasOfNow })
      .createTables(schemasOfNow)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "StoreFailure", kind: "otherKey" });
    expect((error as Error).message).toContain(`The table ${first.name} has another key`);
  });

  describe("when the network misbehaves", () => {
    const fresh = async (): Promise<Tables> => {
      await service.reset();
      const tables = connect();
      await tables.createTables(suiteSchemas);
      calls = [];
      return tables;
    };

    it("a put whose reply is lost counts as written, by its write id", async () => {
      const tables = await fresh();
      failing("PutRow", { kind: "drop-after" });
      expect(await tables.put("lock", ["a"], { n: 1 }, { kind: "absent" })).toBe("written");
      expect(calls.filter((call) => call === "PutRow")).toHaveLength(1);
    });

    it("a put that was cut before it took effect is sent again", async () => {
      const tables = await fresh();
      failing("PutRow", { kind: "drop-before" });
      expect(await tables.put("lock", ["a"], { n: 1 }, { kind: "absent" })).toBe("written");
      expect((await tables.get("lock", ["a"]))?.columns).toEqual({ n: 1 });
    });

    it("an update whose reply is lost is applied once", async () => {
      const tables = await fresh();
      await tables.put("lock", ["a"], { version: 1, kept: "x" }, { kind: "none" });
      failing("UpdateRow", { kind: "drop-after" });
      const condition = { kind: "equals", column: "version", value: 1 } as const;
      expect(await tables.update("lock", ["a"], { version: 2 }, condition)).toBe("written");
      expect((await tables.get("lock", ["a"]))?.columns).toEqual({ version: 2, kept: "x" });
    });

    it("a put that lost against another writer before its reply was lost is a conflict", async () => {
      const tables = await fresh();
      await tables.put("lock", ["a"], { holder: "other" }, { kind: "none" });
      failing("PutRow", { kind: "drop-after" });
      expect(await tables.put("lock", ["a"], { holder: "me" }, { kind: "absent" })).toBe("conflict");
      expect((await tables.get("lock", ["a"]))?.columns).toEqual({ holder: "other" });
    });

    it("an unconditional delete whose reply is lost counts as written", async () => {
      const tables = await fresh();
      await tables.put("lock", ["a"], {}, { kind: "none" });
      failing("DeleteRow", { kind: "drop-after" });
      expect(await tables.delete("lock", ["a"], { kind: "none" })).toBe("written");
    });

    it("a conditional delete whose reply is lost claims nothing", async () => {
      const tables = await fresh();
      await tables.put("lock", ["a"], { n: 1 }, { kind: "none" });
      failing("DeleteRow", { kind: "drop-after" });
      await expect(tables.delete("lock", ["a"], { kind: "present" })).rejects.toMatchObject({ kind: "unavailable" });
    });

    it("a busy service is asked again, for reads, writes, ranges and batches", async () => {
      const tables = await fresh();
      failing("PutRow", busy, busy);
      expect(await tables.put("lock", ["a"], { n: 1 }, { kind: "none" })).toBe("written");
      failing("GetRow", busy, { kind: "drop-before" });
      expect((await tables.get("lock", ["a"]))?.columns).toEqual({ n: 1 });
      failing("GetRange", busy, { kind: "drop-after" });
      expect((await tables.range({ table: "lock", from: [], to: null, limit: 9 })).rows).toHaveLength(1);
      failing("BatchWriteRow", busy, { kind: "drop-after" });
      await tables.writeAll([{ kind: "put", table: "lock", key: ["b"], columns: {} }]);
      expect(await tables.get("lock", ["b"])).not.toBeNull();
    });

    it("a wrong secret is refused at once", async () => {
      await fresh();
      await expect(connect({ secret: "wrong" }).get("lock", ["a"])).rejects.toMatchObject({ kind: "refused" });
    });

    it("a service that is not there is unavailable, within the deadline", async () => {
      const server = net.createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as net.AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const tables = connect({ endpoint: `http://127.0.0.1:${port}`, timeoutMs: 200 });
      await expect(tables.get("lock", ["a"])).rejects.toMatchObject({ kind: "unavailable" });
    });

    it.each([
      ["says nothing", ""],
      ["stops in the middle of a reply", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf"],
      ["answers a web page", "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 13\r\n\r\n<html></html>"],
    ])("a service that %s is unavailable, within the deadline", async (_what, reply) => {
      const sockets = new Set<net.Socket>();
      const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("data", () => void (reply !== "" && socket.write(reply)));
      });
      server.listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as net.AddressInfo;
      const tables = connect({ endpoint: `http://127.0.0.1:${port}`, timeoutMs: 150 });
      await expect(tables.put("lock", ["a"], {}, { kind: "none" })).rejects.toMatchObject({ kind: "unavailable" });
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  });
});
