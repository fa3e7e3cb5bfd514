// "Try it" of both READMEs: the commands run as they are printed. Only addresses and ports are those of this run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { removeTable } from "../../local/dataplane/nft-process.ts";
import { callApi } from "../kit/deployed.ts";
import { claimNetwork } from "../kit/deployed-network.ts";
import { startProgram } from "../kit/deployed-program.ts";
import { blocks, shell } from "../kit/readme.ts";

it("both languages show the same commands", () => {
  const english = blocks("README.md", "Try it");
  expect(english).toHaveLength(4);
  expect(english[0]).toBe("npm start");
  expect(blocks("README.zh-CN.md", "试一试")).toEqual(english);
});

it("the commands of the README open port 22 for a minute and clean up after it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "safeport-docs-"));
  const { network, release } = await claimNetwork();
  const program = await startProgram(join(folder, ".safeport"), network);
  const { record } = program;
  onTestFinished(async () => {
    await program.stop();
    if (record.dataPlane === "nft") await removeTable(`safeport_cloud_${network.replace(".", "_")}`);
    release();
    rmSync(folder, { recursive: true, force: true });
  });
  const [, connect = "", open = "", cleanup = ""] = blocks("README.md", "Try it").map((commands) =>
    commands
      .replaceAll("127.10.0.11:22", `${network}.0.11:${record.mappedPorts[`${network}.0.11:22`] ?? 22}`)
      .replaceAll("http://127.0.0.1:9000", record.api),
  );

  // 28 is curl's own code of a time-out; in user space the connection is reset instead, as it begins (7) or just after (56).
  const closed = await shell(connect, folder);
  expect(closed.stdout).toBe("");
  expect(record.dataPlane === "nft" ? [28] : [7, 56]).toContain(closed.code);

  const opened = await shell(open, folder);
  expect(opened.code).toBe(0);
  expect(JSON.parse(opened.stdout)).toMatchObject({ state: "open", ports: "22", sources: ["127.0.0.1/32"] });
  expect((await shell(connect, folder)).stdout).toMatch(/web-1/);

  // The variable of the block before is still there in the reader's terminal.
  const token = open.split("\n").find((line) => line.startsWith("token=")) ?? "";
  const nothing = JSON.parse((await shell(`${token}\n${cleanup}`, folder)).stdout);
  expect(nothing).toMatchObject({ closed: [], message: expect.stringContaining("0 leases were closed") });

  await callApi(record.control, "POST", "/clock/advance", { body: { ms: 62_000 } });
  expect((await shell(connect, folder)).stdout).toBe("");
});
