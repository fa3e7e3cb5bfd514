// Every target as it checks what it is sent, on a real local receiver; and what is never connected to.
import { afterEach, describe, expect, test } from "vitest";
import type { NotifierSettings } from "../../../shared/adapters/notify/notifier.ts";
import { httpsNotifier } from "../../../shared/adapters/notify/notifier.ts";
import { isPublicAddress } from "../../../shared/adapters/notify/public-address.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import type { NotifyTarget } from "../../../shared/domain/notification-policy.ts";
import type { Message } from "../../../shared/ports/notifier.ts";
import { type Manner, type Receiver, type ReceiverKind, startReceiver } from "../../kit/receivers.ts";

const SECRET = "SECd41d8cd98f00b204";
const AT = Date.UTC(2026, 10, 27, 8, 0, 0);

const message: Message = {
  id: "nt-0123456789abcdef0123",
  at: AT,
  type: "leaseOverdue",
  priority: "alarm",
  title: "[safeport] a port is open past its end",
  lines: [
    "Lease ls-1 of ann.",
    'Why: <!channel> @all <at user_id="all">x</at> [click](https://evil.example) **x** & <@U1>',
  ],
  facts: { lease: "ls-1", why: "<!channel>" },
};

const target = (kind: ReceiverKind, change: Partial<NotifyTarget> = {}): NotifyTarget => ({
  name: "it",
  kind,
  url: null,
  urlFrom: "ROBOT",
  secretFrom: "SIGN",
  language: "en",
  least: "low",
  perMinute: 20,
  ...change,
});

const open: Receiver[] = [];
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.stop();
});

async function receiverOf(kind: ReceiverKind, secret = SECRET): Promise<Receiver> {
  const receiver = await startReceiver(kind, secret, () => Date.now());
  open.push(receiver);
  return receiver;
}

const notifierFor = (url: string, change: Partial<NotifierSettings> = {}) =>
  httpsNotifier({
    clock: systemClock,
    installation: "test",
    privateHosts: [new URL(url).host],
    secret: (name) => ({ ROBOT: url, SIGN: SECRET })[name] ?? null,
    ...change,
  });

const KINDS: readonly ReceiverKind[] = ["webhook", "dingtalk", "feishu", "wecom", "slack"];

describe("a message as its target checks it", () => {
  test.each(KINDS)("%s takes it", async (kind) => {
    const receiver = await receiverOf(kind);
    const outcome = await notifierFor(receiver.url).send(target(kind), message, 2000);
    expect(receiver.received.map((it) => it.wrong)).toEqual([null]);
    expect(outcome).toEqual({ kind: "sent" });
  });

  test.each(["webhook", "dingtalk", "feishu"] as const)("%s refuses what another secret signed", async (kind) => {
    const receiver = await receiverOf(kind, "another");
    const outcome = await notifierFor(receiver.url).send(target(kind), message, 2000);
    expect(receiver.received.map((it) => it.wrong)).toEqual(["sign"]);
    expect(outcome.kind).toBe("refused");
  });

  test("robots are called by nobody's reason: no mention, no link, no markup of theirs", async () => {
    const texts: Record<string, string> = {};
    for (const kind of KINDS.slice(1)) {
      const receiver = await receiverOf(kind);
      await notifierFor(receiver.url).send(target(kind), message, 2000);
      texts[kind] = receiver.received[0]?.body ?? "";
    }
    for (const kind of ["dingtalk", "feishu", "wecom"]) expect(texts[kind]).not.toMatch(/[<>@]/);
    expect(texts["slack"]).not.toMatch(/<|>/);
    expect(texts["slack"]).toContain("&lt;!channel&gt;");
    expect(texts["slack"]).not.toContain('mrkdwn":true');
    expect(JSON.parse(texts["feishu"] ?? "")).toMatchObject({
      content: { post: { zh_cn: { content: [[{ tag: "text" }], [{ tag: "text" }]] } } },
    });
  });

  test("a webhook is told the facts, under an id that every attempt has", async () => {
    const receiver = await receiverOf("webhook");
    const notifier = notifierFor(receiver.url);
    await notifier.send(target("webhook"), message, 2000);
    await notifier.send(target("webhook"), message, 2000);
    const [first, second] = receiver.received.map((it) => it.json);
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      id: message.id,
      source: "/safeport/test",
      type: "safeport.leaseOverdue",
      time: "2026-11-27T08:00:00.000Z",
      data: { priority: "alarm", facts: { lease: "ls-1", why: "<!channel>" } },
    });
  });

  test("a secret in the notation of Standard Webhooks is the key it stands for", async () => {
    const key = "a key of bytes";
    const receiver = await receiverOf("webhook", key);
    const secret = (name: string) => (name === "ROBOT" ? receiver.url : `whsec_${Buffer.from(key).toString("base64")}`);
    await notifierFor(receiver.url, { secret }).send(target("webhook"), message, 2000);
    expect(receiver.received.map((it) => it.wrong)).toEqual([null]);
  });

  test("what is too long for a robot is cut between lines, and that is shown", async () => {
    const lines = Array.from({ length: 300 }, (_, index) => `第 ${index} 行：端口已开放`);
    for (const kind of KINDS.slice(1)) {
      const receiver = await receiverOf(kind);
      const outcome = await notifierFor(receiver.url).send(target(kind), { ...message, lines }, 2000);
      expect([kind, receiver.received[0]?.wrong, outcome.kind]).toEqual([kind, null, "sent"]);
    }
    const body = open[2]?.received[0]?.body ?? "";
    expect(body).toContain("…");
  });
});

describe("what a target does", () => {
  const manners: readonly (readonly [string, Manner, ReceiverKind, object])[] = [
    ["hangs", { kind: "hangs" }, "webhook", { kind: "unreached", why: "no answer in time" }],
    ["answers 500", { kind: "status", status: 500 }, "webhook", { kind: "unreached", why: "the target answers 500" }],
    ["answers 400", { kind: "status", status: 400 }, "webhook", { kind: "refused", why: "the target answers 400" }],
    [
      "answers 429 with Retry-After",
      { kind: "status", status: 429, headers: { "retry-after": "7" } },
      "slack",
      { kind: "busy", retryAfterMs: 7000, why: "the target answers 429" },
    ],
    ["cuts its answer", { kind: "cuts" }, "dingtalk", { kind: "unreached" }],
    [
      "answers without end",
      { kind: "floods" },
      "dingtalk",
      { kind: "unreached", why: "the answer is not the robot's" },
    ],
    ["answers in HTML", { kind: "says", body: "<html>" }, "wecom", { kind: "unreached" }],
    [
      "takes none for ten minutes",
      { kind: "says", body: '{"errcode":130101}' },
      "dingtalk",
      { kind: "busy", retryAfterMs: 600_000 },
    ],
    [
      "says so by another code",
      { kind: "says", body: '{"errcode":90030,"errmsg":"webhook over limit"}' },
      "dingtalk",
      { kind: "busy", retryAfterMs: 600_000 },
    ],
    ["is over its limit", { kind: "says", body: '{"code":11232}' }, "feishu", { kind: "busy" }],
    ["is over its limit, too", { kind: "says", body: '{"errcode":45009}' }, "wecom", { kind: "busy" }],
    ["says an error of Slack", { kind: "says", body: "invalid_payload" }, "slack", { kind: "refused" }],
  ];

  test.each(manners)("one that %s", async (_, manner, kind, expected) => {
    const receiver = await receiverOf(kind);
    receiver.manner = manner;
    const started = performance.now();
    const outcome = await notifierFor(receiver.url).send(target(kind), message, 600);
    expect(outcome).toMatchObject(expected);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("nobody is followed: a redirect to another receiver ends here", async () => {
    const [receiver, inside] = [await receiverOf("webhook"), await receiverOf("webhook")];
    receiver.manner = { kind: "status", status: 307, headers: { location: inside.url } };
    const settings = { privateHosts: [receiver.host, inside.host] };
    const outcome = await notifierFor(receiver.url, settings).send(target("webhook"), message, 2000);
    expect(outcome.kind).toBe("refused");
    expect(inside.received).toEqual([]);
  });

  test("nothing that goes wrong tells the address or a secret", async () => {
    const url = "http://127.0.0.1:9/robot/send?access_token=t0ken";
    const settings = [
      { privateHosts: ["127.0.0.1:9"] },
      { privateHosts: [] },
      { secret: () => null },
      { secret: () => "not an address with t0ken" },
    ];
    for (const change of settings) {
      const outcome = await notifierFor(url, change).send(target("dingtalk"), message, 600);
      expect(outcome.kind).not.toBe("sent");
      expect(JSON.stringify(outcome)).not.toMatch(/t0ken|127\.0|SECd41/);
    }
  });
});

describe("where nothing is sent", () => {
  const closed = [
    "127.0.0.1",
    "10.1.2.3",
    "100.100.100.200",
    "100.64.0.1",
    "169.254.169.254",
    "172.31.0.1",
    "192.168.1.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.7",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "fe80::1",
    "fd00:ec2::254",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "ff02::1",
    "2001::1",
    "fec0::1",
    "no address",
  ];
  test.each(closed)("%s is not public", (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(["8.8.8.8", "203.119.0.1", "100.63.255.255", "100.128.0.0", "2400:3200::1", "2606:4700::1111"])(
    "%s is public",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test("a private address without a setting for it, in whatever notation, and never without TLS", async () => {
    const receiver = await receiverOf("webhook");
    const port = new URL(receiver.url).port;
    const urls = [
      `https://127.0.0.1:${port}/`,
      `https://2130706433:${port}/`,
      `https://0x7f.1:${port}/`,
      `https://[::1]:${port}/`,
      `https://[::ffff:7f00:1]:${port}/`,
      `https://localhost:${port}/`,
      `http://example.com:${port}/`,
      "file:///etc/passwd",
      "https://user:password@example.com/",
    ];
    for (const url of urls) {
      const notifier = notifierFor(receiver.url, {
        privateHosts: [],
        secret: (name) => (name === "ROBOT" ? url : SECRET),
      });
      const outcome = await notifier.send(target("webhook"), message, 2000);
      expect([url, outcome.kind]).toEqual([url, "refused"]);
    }
    expect(receiver.received).toEqual([]);
  });

  test("a name that means a public address first and a private one when it is connected to", async () => {
    const receiver = await receiverOf("webhook");
    const url = `https://rebinding.example:${new URL(receiver.url).port}/`;
    let asked = 0;
    const answers = [
      [
        { address: "8.8.8.8", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ],
      [{ address: "127.0.0.1", family: 4 }],
    ];
    const notifier = notifierFor(receiver.url, {
      privateHosts: [],
      secret: (name) => (name === "ROBOT" ? url : SECRET),
      resolve: async () => answers[asked++] ?? [],
    });
    for (let tries = 0; tries < 2; tries++)
      expect(await notifier.send(target("webhook"), message, 2000)).toEqual({
        kind: "refused",
        why: "the host has an address that is not public",
      });
    // Asked once each: what was judged is what would have been connected to.
    expect(asked).toBe(2);
    expect(receiver.received).toEqual([]);
  });
});
