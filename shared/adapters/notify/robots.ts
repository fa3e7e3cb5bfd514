// How each kind of target is spoken to: its body, its signature, and what its answer means.
import { createHmac } from "node:crypto";
import type { TargetKind } from "../../domain/notification-policy.ts";
import type { Message, SendOutcome } from "../../ports/notifier.ts";
import type { PostAnswer } from "./https-post.ts";

/** What is needed to write a request. */
export interface Signing {
  readonly url: string;
  readonly secret: string | null;
  /** Wall time, milliseconds. */
  readonly now: number;
  /** Of the installation: where the message comes from. */
  readonly source: string;
}

interface Written {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Robot {
  write(message: Message, signing: Signing): Written;
  /** Of an answer with status 200. */
  read(answer: PostAnswer): SendOutcome;
}

const JSON_HEADERS = { "content-type": "application/json; charset=utf-8" };

const json = (url: string, body: unknown): Written => ({ url, headers: JSON_HEADERS, body: JSON.stringify(body) });

/**
 * Title and lines within a number of UTF-8 bytes; lines that do not fit are left out, and that is shown.
 */
function fitted(message: Pick<Message, "title" | "lines">, bytesMax: number): readonly string[] {
  const kept: string[] = [];
  let left = bytesMax - Buffer.byteLength("\n…");
  for (const line of [message.title, ...message.lines]) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) return [...kept, "…"];
    kept.push(line);
  }
  return kept;
}

/** Signs that somebody is called, in characters that look the same and call nobody. */
const uncalling = (text: string): string => text.replaceAll("@", "＠").replaceAll("<", "＜").replaceAll(">", "＞");

const hmac = (key: string | Buffer, text: string): string =>
  createHmac("sha256", key).update(text, "utf8").digest("base64");

/**
 * DingTalk: a plain `text` message, in which nothing is markup. Signed by timestamp in milliseconds, a line break and the secret,
 * HMAC-SHA256 under the secret, both in the address; good for an hour. https://open.dingtalk.com/document/robots/customize-robot-security-settings
 * Beyond 20 messages a minute none is taken for ten minutes: error 130101, "send too fast"; other codes are known by such words.
 */
const dingtalk: Robot = {
  write(message, { url, secret, now }) {
    const address = new URL(url);
    if (secret !== null) {
      address.searchParams.set("timestamp", String(now));
      address.searchParams.set("sign", hmac(secret, `${now}\n${secret}`));
    }
    const content = uncalling(fitted(message, 18_000).join("\n"));
    return json(address.href, { msgtype: "text", text: { content }, at: { atMobiles: [], isAtAll: false } });
  },
  read: (answer) =>
    coded(answer, "errcode", (code, body) =>
      code === 130_101 || /too fast|over limit/i.test(body) ? 10 * 60_000 : null,
    ),
};

/**
 * Feishu: a `post` of plain text nodes, in which nothing is markup. Signed by timestamp in seconds, a line break and the secret as the key
 * of an HMAC-SHA256 over nothing, both in the body; good for an hour. 100 messages a minute, 5 a second, 20 KB each.
 * https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 */
const feishu: Robot = {
  write(message, { url, secret, now }) {
    const timestamp = String(Math.floor(now / 1000));
    const [title = "", ...lines] = fitted(message, 16_000).map(uncalling);
    const content = lines.map((text) => [{ tag: "text", text }]);
    return json(url, {
      ...(secret === null ? {} : { timestamp, sign: hmac(`${timestamp}\n${secret}`, "") }),
      msg_type: "post",
      content: { post: { zh_cn: { title, content } } },
    });
  },
  read: (answer) => coded(answer, "code", (code) => (code === 11_232 ? 60_000 : null)),
};

/**
 * WeCom: a plain `text` message of at most 2048 bytes. Nothing is signed: the address is the secret. 20 messages a minute; beyond it error
 * 45009. https://developer.work.weixin.qq.com/document/path/91770
 */
const wecom: Robot = {
  write(message, { url }) {
    const lines = [message.title, ...message.lines].map(uncalling);
    const [title = "", ...rest] = lines;
    return json(url, { msgtype: "text", text: { content: fitted({ title, lines: rest }, 2048).join("\n") } });
  },
  read: (answer) => coded(answer, "errcode", (code) => (code === 45_009 || code === 45_033 ? 60_000 : null)),
};

/** Slack's three control characters as entities: https://docs.slack.dev/messaging/formatting-message-text */
const entities = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Slack: blocks of `plain_text`, in which nothing is markup, and the title as the text of the notification. Nothing is signed: the address
 * is the secret. One message a second; beyond it 429 with Retry-After. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
const slack: Robot = {
  write(message, { url }) {
    const plain = (text: string) => ({ type: "plain_text", text: entities(text), emoji: false });
    const [title = "", ...lines] = fitted(message, 2800);
    const detail = lines.length > 0 ? [{ type: "section", text: plain(lines.join("\n").slice(0, 2000)) }] : [];
    return json(url, {
      text: entities(title),
      mrkdwn: false,
      link_names: false,
      unfurl_links: false,
      blocks: [{ type: "section", text: plain(title) }, ...detail],
    });
  },
  read: ({ body }) =>
    body.trim() === "ok" ? { kind: "sent" } : { kind: "refused", why: "the robot does not answer ok" },
};

/**
 * Any program: a CloudEvents 1.0 event in structured mode, with the facts as they are, signed as Standard Webhooks has it: id, timestamp in
 * seconds and body, joined by dots, HMAC-SHA256. A secret that begins with `whsec_` is the key in base64, any other is the key itself.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const webhook: Robot = {
  write(message, { url, secret, now, source }) {
    const { id, at, type, priority, title, lines, facts } = message;
    const body = JSON.stringify({
      specversion: "1.0",
      id,
      source,
      type: `safeport.${type}`,
      time: new Date(at).toISOString(),
      datacontenttype: "application/json",
      data: { priority, title, lines, facts },
    });
    const timestamp = String(Math.floor(now / 1000));
    const key = secret?.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : (secret ?? "");
    return {
      url,
      headers: {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": `v1,${hmac(key, `${id}.${timestamp}.${body}`)}`,
      },
      body,
    };
  },
  read: () => ({ kind: "sent" }),
};

export const robots: Readonly<Record<TargetKind, Robot>> = { webhook, dingtalk, feishu, wecom, slack };

/** An answer that says in a field whether the message was taken; 0 is yes. */
function coded(
  { body }: PostAnswer,
  field: string,
  busyMs: (code: number, body: string) => number | null,
): SendOutcome {
  let code: unknown;
  try {
    code = (JSON.parse(body) as Record<string, unknown>)[field];
  } catch {
    return { kind: "unreached", why: "the answer is not the robot's" };
  }
  if (code === 0) return { kind: "sent" };
  if (typeof code !== "number") return { kind: "unreached", why: "the answer is not the robot's" };
  const retryAfterMs = busyMs(code, body);
  const why = `the robot answers ${field} ${code}`;
  return retryAfterMs === null ? { kind: "refused", why } : { kind: "busy", why, retryAfterMs };
}
