// Every parser that outsiders reach: good inputs to begin with, and what it does with any bytes. It may only throw failures of its own.

import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { PolicyFileError, policyTextOf } from "../../cli/setup/policy-file.ts";
import { decodeRows, encodeRows, PlainBufferError } from "../../local/protocol/tablestore/plain-buffer.ts";
import { Kind } from "../../local/protocol/tablestore/variant.ts";
import { OidcTokens } from "../../shared/access/oidc.ts";
import { readTrailRecord } from "../../shared/adapters/alibaba/trail-record.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { checkedPolicyText, readPolicyDocument } from "../../shared/config/policy-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import { formatLink, parseLink } from "../../shared/domain/approval-link.ts";
import { formatMark, parseMark, verifyMark } from "../../shared/domain/mark.ts";
import { formatToken, parseToken } from "../../shared/domain/token-text.ts";
import { AppError } from "../../shared/errors/app-error.ts";
import { readAlarmPost } from "../../shared/events/alarm-post.ts";
import { readAuditEvent } from "../../shared/events/audit-event.ts";
import { readDeadLetter } from "../../shared/events/dead-letter.ts";
import { readHttpEvent } from "../../shared/events/http-event.ts";
import { readSystemEvent } from "../../shared/events/system-event.ts";
import { readSweepEvent } from "../../shared/events/timer.ts";
import { routes } from "../../shared/http/routes.ts";
import { aMark, GROUP } from "../kit/plan-pictures.ts";
import { trailRecord } from "../kit/trail-records.ts";
import { apiWorld } from "../unit/http/api-world.ts";
import { requestOf } from "../unit/http/route-samples.ts";

export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Throws, or breaks a law of its own, only as `isTyped` allows. */
  run(bytes: Buffer): unknown;
  isTyped(error: unknown): boolean;
  /** Takes so long that the suite tries less of it. */
  readonly isSlow?: true;
}

const NOW = Date.UTC(2026, 10, 5, 8, 0, 0);
const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const isOurs = (error: unknown): boolean => error instanceof AppError;
const never = (): boolean => false;

const target = (
  name: string,
  seeds: readonly unknown[],
  run: (bytes: Buffer) => unknown,
  isTyped: (error: unknown) => boolean = isOurs,
): FuzzTarget => ({
  name,
  seeds: seeds.map((seed) => (seed instanceof Uint8Array ? seed : bytesOf(seed))),
  run,
  isTyped,
});

const httpEvent = {
  version: "v1",
  rawPath: "/v1/leases",
  body: '{"port":"22"}',
  isBase64Encoded: false,
  headers: { Authorization: "Bearer requester", "Content-Type": "application/json", "X-Forwarded-For": ["1.2.3.4"] },
  queryParameters: { dryRun: "true", port: "22" },
  requestContext: { http: { method: "POST", path: "/v1/leases", sourceIp: "203.0.113.7", protocol: "HTTP/1.1" } },
};

const policyDocument = {
  defaultTarget: "web",
  regions: ["cn-hangzhou"],
  groups: { guards: { web: "enforce" }, denied: ["sg-1"] },
  lease: { periodMax: 3600, totalMax: 86_400, priority: 1 },
  drift: { unknownWriterWait: 600 },
  foreignWriters: [{ name: "DMS", sources: ["100.104.0.0/16"] }],
  trustedPrincipals: [{ principal: "terraform", treat: "adopt" }],
  operatorPath: [{ sources: ["203.0.113.0/24"], ports: ["22"] }],
};

const text = (parse: (text: string) => unknown) => (bytes: Buffer) => parse(bytes.toString("utf8"));

/** A request of the web application as the seeds have it. */
interface Sent {
  readonly method?: unknown;
  readonly path?: unknown;
  readonly query?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(Object(value) as object).flatMap(([name, it]) => (typeof it === "string" ? [[name, it]] : [])),
  );

/** Sends what the bytes say to the web application; an answer that blames the program is a failure. */
async function send(bytes: Buffer): Promise<void> {
  let sent: Sent;
  try {
    sent = Object(JSON.parse(bytes.toString("utf8"))) as Sent;
  } catch {
    return;
  }
  const { method, path, query, headers, body } = sent;
  // Whoever sends comes by a proxy, so that what it says of others is read.
  const world = apiWorld({ policy: { trustedProxies: ["127.0.0.1"] } });
  const { status } = await world.send({
    method: typeof method === "string" ? method : "GET",
    path: typeof path === "string" ? path : "/",
    query: textsOf(query),
    headers: { authorization: "Bearer admin", ...textsOf(headers) },
    body: Buffer.from(typeof body === "string" ? body : (JSON.stringify(body) ?? "")),
  });
  if (status === 500) throw new Error(`answered 500: ${world.logged.join(" ")}`);
}

const HEADERS = {
  authorization: "Bearer admin",
  "content-type": "application/json",
  "idempotency-key": "k-1",
  "sec-fetch-site": "same-origin",
  "x-forwarded-for": "203.0.113.7, ::ffff:10.0.0.1, 127.0.0.1",
};

const samples = routes.map(({ operationId }) => {
  const { method, path, query, body } = requestOf(operationId);
  return {
    method,
    path,
    query,
    headers: HEADERS,
    body: JSON.parse(Buffer.from(body ?? new Uint8Array()).toString() || "{}"),
  };
});

const ISSUER = "https://id.example.com";
const goodToken = bytesOf([
  { alg: "EdDSA", kid: "one" },
  { iss: ISSUER, aud: "safeport", email: "ann", groups: ["sre"], iat: NOW / 1000, exp: NOW / 1000 + 600 },
]);
/** PKCS #8 of an Ed25519 key, up to its 32 bytes. */
const KEY_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const companyKey = createPrivateKey({
  ...{ key: Buffer.concat([KEY_HEAD, Buffer.alloc(32, 7)]), format: "der", type: "pkcs8" },
});
const { oidc: issuers } = policyOf(
  policySchema.parse({
    access: {
      oidc: [
        {
          ...{ name: "corp", issuer: ISSUER, audience: "safeport", jwksUri: `${ISSUER}/keys`, principalClaim: "email" },
          ...{ algorithms: ["EdDSA", "RS256"], rules: [{ claim: "groups", value: "sre", roles: ["operator"] }] },
        },
      ],
    },
  }),
  1,
  "cn-hangzhou",
).access;
const companyTokens = new OidcTokens(
  { now: () => NOW, monotonicMs: () => 0 },
  { read: async () => ({ keys: [{ ...createPublicKey(companyKey).export({ format: "jwk" }), kid: "one" }] }) },
);

/** Presents a token of a company: of header and claims, which its key signs, or with a third part in the place of that; or any text. */
async function present(bytes: Buffer): Promise<void> {
  let text = bytes.toString("utf8");
  let isSigned = false;
  try {
    const parts: unknown = JSON.parse(text);
    if (Array.isArray(parts)) {
      text = parts
        .slice(0, 2)
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      isSigned = parts.length === 2;
      const signature = isSigned ? sign(null, Buffer.from(text), companyKey) : Buffer.from(String(parts[2]));
      text += `.${signature.toString("base64url")}`;
    }
  } catch {
    // It is presented as it stands.
  }
  const identity = await companyTokens.check(text, issuers);
  if (identity === null && bytes.equals(goodToken)) throw new Error("a good token is refused");
  if (identity === null) return;
  if (!isSigned) throw new Error("a token that nobody has signed is let in");
  if (!/^corp\/[\x21-\x7e]{1,128}$/.test(identity.principal)) throw new Error("the name is none");
}

const link = formatLink(
  { leaseId: "ls-0123456789abcdefghj", person: "ann", expiresAt: NOW },
  { change: "c", secret: "secret" },
);

const plainRow = encodeRows([
  {
    primaryKey: [{ name: "key", value: { kind: Kind.string, bytes: Buffer.from("a") } }],
    deleteMarker: false,
    attributes: [
      { name: "n", value: { kind: Kind.integer, bytes: Buffer.alloc(8) } },
      { name: "t", value: { kind: Kind.binary, bytes: Buffer.from([1, 2, 3]) }, timestamp: 1 },
    ],
  },
]);

export const TARGETS: readonly FuzzTarget[] = [
  target("http event", [httpEvent], (bytes) => readHttpEvent(bytes, "r-1")),
  target("http route", samples, send, never),
  target(
    "trail event",
    [
      { specversion: "1.0", type: "ecs:ActionTrail:ApiCall", data: trailRecord() },
      [{ data: JSON.stringify(trailRecord()) }],
      trailRecord(),
    ],
    (bytes) => readAuditEvent(bytes).map((record) => readTrailRecord(record, NOW)),
  ),
  target(
    "webhook post",
    [
      "alertName=ddos&alertState=ALERT&ruleId=r1&dimensions=%7BinstanceId%3Di-1%2C+userId%3D12%7D&timestamp=1764000000&metricName=x",
      { alertName: "ddos", alertState: "OK", dimensions: '[{"instanceId":"i-1"}]', timestamp: "1764000000000" },
    ],
    (bytes) => readAlarmPost(bytes, "application/x-www-form-urlencoded", NOW),
  ),
  target(
    "system event",
    [
      {
        type: "ecs:CloudMonitor:Instance:StateChange",
        time: "2026-11-05T08:00:00Z",
        subject: "acs:ecs:cn-hangzhou:1:instance/i-1",
        data: { resourceId: "i-1", content: '{"state":"Stopped"}' },
      },
      { type: "ddos:CloudMonitor:DDoSAttackEnd", data: { instanceId: "i-1", status: "end", ip: "1.2.3.4" } },
    ],
    (bytes) => readSystemEvent(bytes, NOW),
  ),
  target(
    "timer",
    [{ triggerTime: "t", triggerName: "minute", payload: "" }, { wakeup: { shard: 0, at: NOW } }],
    (bytes) => readSweepEvent(bytes, 2),
  ),
  target(
    "dead letter",
    [
      {
        requestContext: { functionArn: "acs:fc:::functions/audit", requestId: "r", condition: "x" },
        requestPayload: "",
      },
    ],
    (bytes) => readDeadLetter(bytes),
    never,
  ),
  target("policy", [policyDocument, {}], (bytes) => {
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString("utf8"));
    } catch {
      return;
    }
    const reading = readPolicyDocument(value);
    if (reading.kind === "ok") policyOf(reading.document, 1, "cn-hangzhou");
    else checkedPolicyText(value);
  }),
  {
    ...target(
      "policy file",
      [
        "defaultTarget: web\nlease:\n  periodMax: 3600\ngroups:\n  guards: { web: enforce }\n",
        JSON.stringify(policyDocument),
      ],
      text((yaml) => policyTextOf(yaml, "policy.yaml")),
      (error) => error instanceof PolicyFileError,
    ),
    isSlow: true,
  },
  target(
    "plain buffer",
    [plainRow],
    (bytes) => decodeRows(bytes),
    (error) => error instanceof PlainBufferError,
  ),
  target(
    "mark",
    [aMark(), `${aMark()} a reason`],
    text((description) => {
      const mark = parseMark(description);
      if (mark === null) return;
      const rule = { groupId: GROUP.groupId, key: "k", secret: "secret" } as Parameters<typeof verifyMark>[1];
      // A mark is true only as it was written, byte for byte.
      if (verifyMark(mark, rule) && !description.startsWith(formatMark({ ...mark, ...rule, reason: "" })))
        throw new Error("a mark that nobody wrote is believed");
    }),
    never,
  ),
  target("token", [formatToken(Buffer.alloc(8, 1), Buffer.alloc(32, 2))], text(parseToken), never),
  target("approval link", [link], text(parseLink), never),
  target(
    "company token",
    [goodToken, [{ alg: "none" }, { iss: ISSUER, aud: "safeport", email: "ann", groups: ["sre"] }, ""]],
    present,
    never,
  ),
];
