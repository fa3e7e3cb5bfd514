// Real local HTTP receivers of notices, one kind each, which check what is sent as the services themselves do.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a receiver behaves. */
export type Manner =
  | { readonly kind: "well" }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Takes the request and never answers. */
  | { readonly kind: "hangs" }
  /** Answers without end. */
  | { readonly kind: "floods" }
  /** Cuts the connection in the middle of the answer. */
  | { readonly kind: "cuts" }
  | { readonly kind: "says"; readonly body: string };

export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** What is wrong with it in the eyes of the service; null when nothing is. */
  readonly wrong: string | null;
}

export type ReceiverKind = "webhook" | "dingtalk" | "feishu" | "wecom" | "slack";

export interface Receiver {
  readonly url: string;
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly received: Received[];
  /** Requests that were taken as the service takes them. */
  readonly taken: () => readonly Received[];
  manner: Manner;
  stop(): Promise<void>;
}

const sha256 = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

const isSame = (a: Buffer, text: string | null): boolean => {
  const b = Buffer.from(text ?? "", "base64");
  return a.length === b.length && timingSafeEqual(a, b);
};

interface Check {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly secret: string;
  readonly nowMs: number;
}

const HOUR_MS = 3_600_000;
const field = (value: unknown, name: string): unknown => (value as Readonly<Record<string, unknown>> | null)?.[name];

/** What each service checks, written from its public pages and not from the program. */
const CHECKS: Readonly<Record<ReceiverKind, (check: Check) => string | null>> = {
  dingtalk: ({ url, json, secret, nowMs }) => {
    const timestamp = url.searchParams.get("timestamp") ?? "";
    if (Math.abs(Number(timestamp) - nowMs) > HOUR_MS) return "timestamp";
    if (!isSame(sha256(secret, `${timestamp}\n${secret}`), url.searchParams.get("sign"))) return "sign";
    if (json["msgtype"] !== "text" || typeof field(json["text"], "content") !== "string") return "body";
    return field(json["at"], "isAtAll") === false ? null : "at";
  },
  feishu: ({ json, secret, nowMs, body }) => {
    const timestamp = String(json["timestamp"]);
    if (!/^\d{10}$/.test(timestamp) || Math.abs(Number(timestamp) * 1000 - nowMs) > HOUR_MS) return "timestamp";
    if (!isSame(sha256(`${timestamp}\n${secret}`, ""), String(json["sign"]))) return "sign";
    if (Buffer.byteLength(body) > 20 * 1024) return "size";
    return json["msg_type"] === "post" ? null : "body";
  },
  wecom: ({ url, json, secret }) => {
    if (url.searchParams.get("key") !== secret) return "key";
    const content = field(json["text"], "content");
    if (json["msgtype"] !== "text" || typeof content !== "string") return "body";
    return Buffer.byteLength(content) <= 2048 ? null : "size";
  },
  slack: ({ url, json, secret }) => {
    if (url.pathname !== `/services/${secret}`) return "path";
    return typeof json["text"] === "string" && Array.isArray(json["blocks"]) ? null : "body";
  },
  webhook: ({ request, body, json, secret, nowMs }) => {
    const [id, timestamp, signature] = ["id", "timestamp", "signature"].map((name) =>
      String(request.headers[`webhook-${name}`]),
    );
    if (Math.abs(Number(timestamp) * 1000 - nowMs) > 300_000) return "timestamp";
    const [version, text = ""] = (signature ?? "").split(",");
    if (version !== "v1" || !isSame(sha256(secret, `${id}.${timestamp}.${body}`), text)) return "sign";
    if (request.headers["content-type"] !== "application/cloudevents+json; charset=utf-8") return "content type";
    const needed = ["id", "source", "type"].every((name) => String(json[name] ?? "") !== "");
    return json["specversion"] === "1.0" && needed && json["id"] === id ? null : "body";
  },
};

const ANSWERS: Readonly<Record<ReceiverKind, (wrong: string | null) => { status: number; body: string }>> = {
  dingtalk: (wrong) => ({
    status: 200,
    body: wrong ? '{"errcode":310000,"errmsg":"sign not match"}' : '{"errcode":0,"errmsg":"ok"}',
  }),
  feishu: (wrong) => ({
    status: 200,
    body: wrong ? '{"code":19021,"msg":"sign match fail"}' : '{"code":0,"msg":"success"}',
  }),
  wecom: (wrong) => ({
    status: 200,
    body: wrong ? '{"errcode":93000,"errmsg":"invalid webhook url"}' : '{"errcode":0,"errmsg":"ok"}',
  }),
  slack: (wrong) => (wrong ? { status: 403, body: "invalid_token" } : { status: 200, body: "ok" }),
  webhook: (wrong) => ({ status: wrong ? 401 : 204, body: "" }),
};

/** Starts a receiver on a loopback port of its own; `now` is what it takes the time to be. */
export async function startReceiver(kind: ReceiverKind, secret: string, now: () => number): Promise<Receiver> {
  const received: Received[] = [];
  const state: { manner: Manner } = { manner: { kind: "well" } };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const url = new URL(request.url ?? "/", "http://receiver");
      const json = JSON.parse(body) as Readonly<Record<string, unknown>>;
      const wrong = CHECKS[kind]({ request, url, body, json, secret, nowMs: now() });
      received.push({ path: request.url ?? "", headers: request.headers, body, json, wrong });
      answer(response, state.manner, ANSWERS[kind](wrong));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const path = { webhook: "/hook", dingtalk: "/robot/send?access_token=t0ken", feishu: "/hook/v2/t0ken" };
  const own = kind === "wecom" ? `/send?key=${secret}` : kind === "slack" ? `/services/${secret}` : path[kind];
  return {
    url: `http://127.0.0.1:${port}${own}`,
    host: `127.0.0.1:${port}`,
    received,
    taken: () => (state.manner.kind === "well" ? received.filter((it) => it.wrong === null) : []),
    get manner() {
      return state.manner;
    },
    set manner(manner) {
      state.manner = manner;
    },
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, manner: Manner, well: { status: number; body: string }): void {
  switch (manner.kind) {
    case "well":
      response.writeHead(well.status, { "content-type": "application/json" }).end(well.body);
      return;
    case "status":
      response.writeHead(manner.status, manner.headers).end();
      return;
    case "says":
      response.writeHead(200).end(manner.body);
      return;
    case "hangs":
      return;
    case "cuts":
      response.writeHead(200, { "content-length": "100" });
      response.write("half of", () => response.destroy());
      return;
    case "floods": {
      const pour = (): void => {
        if (response.destroyed) return;
        if (response.write("x".repeat(65_536))) setImmediate(pour);
        else response.once("drain", pour);
      };
      pour();
    }
  }
}
