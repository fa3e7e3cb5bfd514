// Requests to the log service: how they are signed, where they go, and what their answers come to.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { slsClient } from "../../../shared/adapters/alibaba/sls-client.ts";
import { signSls } from "../../../shared/adapters/alibaba/sls-signature.ts";
import { TrafficFailure } from "../../../shared/ports/traffic.ts";

const credentials = { accessKeyId: "AKID", accessKeySecret: "SECRET", securityToken: "token/+=" };

describe("the signature", () => {
  test("is the one that the official SDK makes", () => {
    const body = '{"from":1,"query":"* | select \'ä\' as x"}';
    const headers = signSls(
      {
        method: "POST",
        path: "/logstores/flow/logs",
        query: { b: "a c*", type: "log", empty: "" },
        headers: {
          accept: "application/json",
          "accept-encoding": "gzip",
          host: "net.cn-hangzhou.log.aliyuncs.com",
          "x-log-apiversion": "0.6.0",
          "x-log-bodyrawsize": String(Buffer.byteLength(body)),
          "content-type": "application/json",
        },
        body,
      },
      { credentials, region: "cn-hangzhou", nowMs: Date.UTC(2026, 10, 2, 8) },
    );
    // Made with `@alicloud/gateway-sls` 0.3.2 from the same request.
    expect(headers["authorization"]).toBe(
      "SLS4-HMAC-SHA256 Credential=AKID/20261102/cn-hangzhou/sls/aliyun_v4_request,Signature=d5b339ca8b0b73c6823b699170456d8f05781bcbf29d2a015b70b3cbe398bc2e",
    );
    expect(headers["x-acs-security-token"]).toBe("token/+=");
  });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A client of a server that answers like this, one after the other, the last for ever; and the requests it has had. */
async function against(...answers: readonly Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    request.resume().on("end", () => answer?.(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = { now: () => 0, monotonicMs: () => 0, sleep: async () => undefined };
  const client = slsClient({ clock, credentials: () => credentials, endpoint, timeoutMs: 150 });
  const call = {
    region: "cn-hangzhou",
    project: "net",
    method: "POST",
    path: "/logstores/flow/logs",
    body: {},
  } as const;
  return { requests, ask: () => client.call(call), fails: () => client.call(call).catch((error: unknown) => error) };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => {
    response.writeHead(status, { "x-log-requestid": "REQ", ...headers });
    response.end(JSON.stringify(body));
  };
};
const zipped: Answer = (_request, response) => {
  response.writeHead(200, { "x-log-compresstype": "gzip" });
  response.end(gzipSync('{"data":[1]}'));
};
const cut: Answer = (_request, response) => {
  response.writeHead(200, { "content-length": "100" });
  response.write("{");
  setTimeout(() => response.destroy(), 5);
};
const silent: Answer = () => undefined;
const page: Answer = (_request, response) => response.writeHead(502).end("<html>");

describe("a call", () => {
  test("goes to the project's host, and its answer may be compressed", async () => {
    const { ask, requests } = await against(zipped);
    expect(await ask()).toEqual({ data: [1] });
    expect(requests[0]?.headers["host"]).toBe("net.cn-hangzhou.log.aliyuncs.com");
  });

  test.each([
    ["cut off", cut],
    ["silent", silent],
    ["a page of a gateway", page],
    ["busy", json(503, { errorCode: "ServerBusy", errorMessage: "busy" })],
  ] as const)("is made once more when the answer is %s, and then given up", async (_, answer) => {
    const recovers = await against(answer, zipped);
    expect(await recovers.ask()).toEqual({ data: [1] });
    const never = await against(answer);
    expect(await never.fails()).toMatchObject({ kind: "unavailable" });
    expect(never.requests).toHaveLength(2);
  });

  test.each([
    [404, "ProjectNotExist", "gone"],
    [404, "LogStoreNotExist", "gone"],
    [401, "SignatureNotMatch", "refused"],
    [403, "SomethingNew", "refused"],
    [403, "ReadQuotaExceed", "throttled"],
    [400, "ParameterInvalid", "invalid"],
  ] as const)("that is answered %i %s is %s, and not made again", async (status, errorCode, kind) => {
    const { fails, requests } = await against(json(status, { errorCode, errorMessage: "because" }));
    const failure = await fails();
    expect(failure).toBeInstanceOf(TrafficFailure);
    expect(failure).toMatchObject({ kind, cloudCode: errorCode, requestId: "REQ" });
    expect((failure as Error).message).toContain("because");
    expect(requests).toHaveLength(1);
  });

  test("that is answered no JSON is no answer", async () => {
    const { fails } = await against((_request, response) => response.end("fine"));
    expect(await fails()).toMatchObject({ kind: "unavailable" });
  });
});
