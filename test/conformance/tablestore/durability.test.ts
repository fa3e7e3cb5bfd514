// What was answered survives `kill -9`: a process of its own is killed while writes are under way, five times over.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type TableStore from "tablestore";
import { afterAll, expect, it } from "vitest";
import { columns, connect, createPairs, ignore, long, pair, startAccount } from "./account.ts";

const directory = mkdtempSync(join(tmpdir(), "tablestore-"));
let child: ChildProcess | undefined;
afterAll(() => {
  child?.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

async function startChild(): Promise<TableStore.Client> {
  const script = join(import.meta.dirname, "durability-child.ts");
  child = spawn(process.execPath, ["--import", "tsx", script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return connect(line.toString().trim());
}

it("loses no answered write to kill -9", async () => {
  const acknowledged = new Map<number, number>();
  let revision = 0;
  for (let round = 0; round < 5; round++) {
    const client = await startChild();
    if (round === 0) await createPairs(client, "t");
    const until = acknowledged.size + 150 + 40 * round;
    let killed = false;
    const writer = async (lane: number): Promise<void> => {
      for (let index = 0; !killed; index++) {
        const b = round * 1_000_000 + lane * 10_000 + index;
        const value = ++revision;
        try {
          await client.putRow({
            tableName: "t",
            condition: ignore,
            primaryKey: pair("k", b),
            attributeColumns: [{ v: long(value) }],
          });
          acknowledged.set(b, value);
        } catch {
          return;
        }
        if (acknowledged.size >= until && !killed) {
          killed = true;
          child?.kill("SIGKILL");
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, lane) => writer(lane)));
    if (child?.signalCode === null) await once(child, "exit");
    expect(child?.signalCode).toBe("SIGKILL");
  }
  const { server, client } = await startAccount({ directory });
  for (const [b, value] of acknowledged) {
    const { row } = await client.getRow({ tableName: "t", primaryKey: pair("k", b) });
    expect(columns(row)).toEqual({ v: String(value) });
  }
  await server.stop();
});
