// A function that stays warm: the built `api` in a process of its own, its Tablestore behind TLS that counts connections and misbehaves.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { builtProgram } from "../kit/deployed-build.ts";

/** What the platform's gateway hands to the function, and what comes back. */
interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/** Like the platform: one event after another, each with the keys of its moment. */
const RUNNER = `
const { handler } = require(process.argv[2]);
process.on("message", ({ event, context }) =>
  handler(Buffer.from(JSON.stringify(event)), context).then(
    (value) => process.send({ value }),
    (error) => process.send({ error: String(error && error.stack) }),
  ));
`;

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What the next calls meet on their way: `count` of them. */
type Mishap = "cut" | "html" | "431";

describe.skipIf(!hasOpenssl())("a warm function", () => {
  const folder = mkdtempSync(join(tmpdir(), "safeport-warm-"));
  let world: Deployed;
  let front: Server;
  let child: ChildProcess;
  let deployed: string;
  /** What Node itself had to say, which takes time of each start. */
  let said = "";
  const seen = { connections: 0, calls: 0 };
  const next: Mishap[] = [];

  beforeAll(async () => {
    const program = await builtProgram();
    world = await deploy({ refusals: true });
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const self = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync("openssl", [...self, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    front = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, pass);
    front.on("secureConnection", () => {
      seen.connections += 1;
    });
    await new Promise<void>((resolve) => front.listen(0, "localhost", resolve));
    deployed = join(folder, "api");
    cpSync(join(program, "dist", "api"), deployed, { recursive: true });
    const runner = join(folder, "runner.cjs");
    writeFileSync(runner, RUNNER);
    const secrets = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
    child = spawn(process.execPath, [runner, join(deployed, "index.js")], {
      env: {
        PATH: process.env["PATH"] ?? "",
        ...environmentOf(world.cloud, { ...secrets, tokens: world.tokens }),
        SAFEPORT_TABLESTORE_ENDPOINT: `https://localhost:${(front.address() as AddressInfo).port}`,
        NODE_EXTRA_CA_CERTS: cert,
      },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
    });
  }, 60_000);
  afterAll(async () => {
    child?.kill("SIGKILL");
    front?.closeAllConnections();
    front?.close();
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    seen.calls += 1;
    const mishap = next.shift();
    const chunks: Buffer[] = [];
    asked.on("data", (chunk: Buffer) => chunks.push(chunk));
    asked.on("end", () => {
      if (mishap === "html") {
        answer.writeHead(502, { "content-type": "text/html" }).end("<html><h1>502 Bad Gateway</h1></html>");
        return;
      }
      if (mishap === "431") {
        answer.writeHead(431).end();
        return;
      }
      const onward = request(
        `${world.cloud.endpoints.tablestore}${asked.url}`,
        { method: asked.method, headers: asked.headers },
        (came) => {
          if (mishap !== "cut") {
            answer.writeHead(came.statusCode ?? 502, came.headers);
            came.pipe(answer);
            return;
          }
          came.resume();
          answer.writeHead(200, { ...came.headers, "content-length": "100000" });
          answer.write("half");
          setTimeout(() => answer.destroy(), 5);
        },
      );
      onward.end(Buffer.concat(chunks));
    });
  }

  async function ask(
    path: string,
    keys: { accessKeyId: string; accessKeySecret: string; securityToken?: string },
  ): Promise<Answer> {
    const http = { method: "GET", path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" };
    const event = {
      ...{ version: "v1", rawPath: path, body: "", isBase64Encoded: false, queryParameters: {} },
      headers: { Authorization: `Bearer ${world.tokens.operator}` },
      requestContext: { accountId: world.cloud.account.accountId, requestId: "1-0", http },
    };
    const came = new Promise<{ value?: Answer; error?: string }>((resolve) => child.once("message", resolve));
    child.send({ event, context: { requestId: "1-0", credentials: keys, function: { timeout: 60 } } });
    const { value, error } = await came;
    if (value === undefined) throw new Error(error);
    return value;
  }
  const leases = () => ask("/v1/leases", world.cloud.roleKeys());

  // The first: nothing has been loaded yet.
  it("reads a part again that it could not read at first", async () => {
    const [part, away] = [join(deployed, "tablestore.js"), join(folder, "tablestore.js")];
    renameSync(part, away);
    expect((await leases()).statusCode).toBeGreaterThanOrEqual(500);
    renameSync(away, part);
    expect((await leases()).statusCode).toBe(200);
  });

  it("opens no new connection for its calls", async () => {
    for (let round = 0; round < 3; round++) expect((await leases()).statusCode).toBe(200);
    const before = { ...seen };
    for (let round = 0; round < 20; round++) expect((await leases()).statusCode).toBe(200);
    expect(seen.calls - before.calls).toBeGreaterThanOrEqual(40);
    expect(seen.connections - before.connections).toBe(0);
  });

  it("goes on after it was frozen, although its connections were closed meanwhile", async () => {
    child.kill("SIGSTOP");
    front.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGCONT");
    expect((await leases()).statusCode).toBe(200);
    expect((await leases()).statusCode).toBe(200);
  });

  it.each(["cut", "html", "431"] as const)(
    "takes a reply that is %s for what it is, and goes on",
    async (mishap) => {
      next.push(mishap);
      const met = await leases();
      next.length = 0;
      // Read again where that can help; what stays wrong is told as a failure of the store, with what to do.
      if (met.statusCode !== 200) {
        expect(met.statusCode).toBe(503);
        expect(JSON.parse(met.body)).toMatchObject({ code: expect.any(String), remedy: expect.any(String) });
        expect(met.body).not.toContain("<html");
      }
      expect((await leases()).statusCode).toBe(200);
    },
    30_000,
  );

  it("uses the keys that come with a call, in place of those before", async () => {
    const other = world.cloud.addPrincipal({ kind: "role", name: "rotated", session: "later" });
    const { securityToken = "" } = other;
    const since = world.next();
    expect((await ask("/v1/leases", { ...other, securityToken })).statusCode).toBe(200);
    const callers = world.calls(since).map(({ caller }) => caller.principal);
    expect(callers.length).toBeGreaterThan(0);
    expect(new Set(callers)).toEqual(new Set(["rotated"]));
  });

  it("gives Node nothing to warn of", () => {
    expect(said).toBe("");
  });
});
