// "Somebody opens a port behind your back" of both READMEs: the commands run as they are printed, in real time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { removeTable } from "../../local/dataplane/nft-process.ts";
import { callApi } from "../kit/deployed.ts";
import { projectRoot } from "../kit/deployed-build.ts";
import { claimNetwork } from "../kit/deployed-network.ts";
import { startProgram } from "../kit/deployed-program.ts";
import { blocks, shell } from "../kit/readme.ts";

it("both languages show the same commands about drift", () => {
  const english = blocks("README.md", "Somebody opens a port behind your back");
  expect(english).toHaveLength(2);
  expect(blocks("README.zh-CN.md", "有人绕过你打开了端口")).toEqual(english);
});

it("the commands of the README open 3306 as somebody else, and show that it was rolled back", async () => {
  const folder = mkdtempSync(join(tmpdir(), "safeport-docs-"));
  const home = join(folder, ".safeport");
  const { network, release } = await claimNetwork();
  const program = await startProgram(home, network);
  const { record } = program;
  onTestFinished(async () => {
    await program.stop();
    if (record.dataPlane === "nft") await removeTable(`safeport_cloud_${network.replace(".", "_")}`);
    release();
    rmSync(folder, { recursive: true, force: true });
  });
  const [play = "", look = ""] = blocks("README.md", "Somebody opens a port behind your back");
  expect(await shell(play, projectRoot, { SAFEPORT_HOME: home })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("opened tcp 3306 for 0.0.0.0/0 in web"),
  });
  await callApi(record.control, "POST", "/clock/advance", { body: { ms: 10_000 } });
  const shown = await shell(look.replaceAll("http://127.0.0.1:9000", record.api), folder);
  const { drift } = JSON.parse(shown.stdout);
  expect(drift).toMatchObject([{ kind: "added", state: "rolledBack", attribution: { actor: "foreign" } }]);
});

it("play tells what it takes, and what to correct", async () => {
  const run = (words: string) => shell(`npm run --silent play -- ${words}`, projectRoot, { SAFEPORT_HOME: "nowhere" });
  expect((await run("--help")).stdout).toContain("open PORT");
  for (const words of ["shut 22", "open 0", "open 22"]) expect((await run(words)).code).toBe(1);
});
