// The adapters as they are deployed: one file without the SDKs' unused parts, in a process of its own, on real sockets.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { bundleFunction } from "../../cli/build.mjs";
import { seededRandom } from "../../local/random.ts";
import { startEcs } from "../../local/services/ecs/start-ecs.ts";
import { startTablestore } from "../../local/services/tablestore/server.ts";
import { systemClock as clock } from "../../shared/adapters/system/clock.ts";
import type { BundledCallsInput } from "../kit/bundled-calls.ts";

const BUNDLE_BYTES_MAX = 1_000_000;
const region = "cn-hangzhou";
const directory = await mkdtemp(join(tmpdir(), "safeport-bundle-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

it("a bundled function reaches ECS, Tablestore and Function Compute through the official SDKs", async () => {
  const outfile = join(directory, "index.js");
  expect(await bundleFunction("test/kit/bundled-calls.ts", outfile)).toBeLessThan(BUNDLE_BYTES_MAX);
  await writeFile(join(directory, "run.js"), runner);

  const random = seededRandom("bundle");
  const ecs = await startEcs({
    clock,
    random,
    // The function reads at once what it has written, and revokes what it has modified by the id of before.
    switches: { readAfterWriteMs: 0, modifiedRule: "same-id" },
    seed: {
      accountId: "100000000000",
      regionId: region,
      vpcId: "vpc-1",
      users: [{ name: "safeport", accessKeyId: "ak", accessKeySecret: "sk", principalId: "20001" }],
      groups: [{ groupId: "sg-web", name: "web", rules: [] }],
      instances: [{ instanceId: "i-1", name: "web-1", address: "192.168.0.11", groupIds: ["sg-web"], listening: [] }],
    },
  });
  const credentials = () => ({ secret: "sk" });
  const tablestore = await startTablestore({ clock, random, instances: ["safeport"], credentials });
  const invocations: { path: string | undefined; headers: http.IncomingHttpHeaders; body: string }[] = [];
  const fc = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    invocations.push({ path: request.url, headers: request.headers, body });
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => fc.listen(0, "127.0.0.1", resolve));

  const input: BundledCallsInput = {
    ecs: ecs.endpoint,
    tablestore: tablestore.url,
    fc: `http://127.0.0.1:${(fc.address() as AddressInfo).port}`,
    ref: { region, groupId: "sg-web" as BundledCallsInput["ref"]["groupId"] },
  };
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "run.js"), JSON.stringify(input)]);
  expect(JSON.parse(stdout)).toEqual({
    opened: 1,
    closed: 0,
    members: 1,
    gone: "CloudFailure ruleGone",
    outcomes: ["written", "conflict", "written", "conflict", "written"],
    rows: 2,
    missing: "StoreFailure tableMissing",
    logged: [],
  });
  expect(invocations).toHaveLength(1);
  expect(invocations[0]).toMatchObject({
    path: "/2023-03-30/functions/sweep/invocations",
    headers: { "x-fc-invocation-type": "Async", "x-fc-async-task-id": expect.stringMatching(/^w_3_\d{10}$/) },
  });
  await Promise.all([ecs.stop(), tablestore.stop()]);
  fc.closeAllConnections();
  fc.close();
});

/** Runs the handler, and shows that loading it has loaded no SDK. */
const runner = `
const { handler } = require("./index.js");
handler(JSON.parse(process.argv[2])).then(
  (result) => { process.stdout.write(JSON.stringify(result)); process.exit(0); },
  (error) => { console.error(error); process.exit(1); },
);
`;
