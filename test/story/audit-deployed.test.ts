// The audit and what people are told, on the built program: a file that its own bundle writes, a page, and a webhook with a secret.
import { readXlsx } from "hucre/xlsx";
import { afterEach, expect, test } from "vitest";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { type Receiver, startReceiver } from "../kit/receivers.ts";

const MINUTE = 60_000;
const SECRET = "whsec of the tests";

let deployed: Deployed;
let receiver: Receiver;
afterEach(async () => {
  await deployed.stop();
  await receiver.stop();
});

test("a month is audited when somebody asks, and can be read, filed and printed", async () => {
  receiver = await startReceiver("webhook", SECRET, () => Date.now());
  deployed = await deploy({
    policy: [
      "defaultTarget: web",
      "groups: { guards: { legacy: observe } }",
      "notifications:",
      "  language: zh",
      "  targets: { hook: { kind: webhook, urlFrom: HOOK, secretFrom: HOOK_KEY } }",
      "  roles: { auditor: [hook] }",
    ].join("\n"),
    environment: {
      SAFEPORT_SECRET_HOOK: receiver.url,
      SAFEPORT_SECRET_HOOK_KEY: SECRET,
      SAFEPORT_NOTIFY_PRIVATE_HOSTS: receiver.host,
    },
  });
  const { auditor, requester } = deployed.tokens;
  const { api } = deployed;
  const month = new Date(deployed.cloud.clock.now()).toISOString().slice(0, 7);
  await deployed.advance(MINUTE);
  const source = "203.0.113.9";
  const lease = await api("PUT", `/safeport/temp_allow?port=2222&period=60&source=${source}`, { token: requester });
  expect(lease.status).toBe(200);

  expect((await api("POST", `/v1/audits/${month}`, { token: requester })).status).toBe(403);
  expect(await api("GET", `/v1/audits/${month}`, { token: auditor })).toMatchObject({
    status: 404,
    body: { code: "AUDIT_UNKNOWN" },
  });
  const dry = await api("POST", `/v1/audits/${month}?dryRun=true`, { token: auditor });
  expect(dry).toMatchObject({ status: 200, body: { dryRun: true } });
  expect((await api("POST", `/v1/audits/${month}`, { token: auditor })).status).toBe(202);
  await deployed.advance(3 * MINUTE);

  const { body } = await api("GET", `/v1/audits/${month}`, { token: auditor });
  expect(body).toMatchObject({ month, isPartial: true, failed: 0, totals: { leases: 1 } });
  const paged = await api("GET", `/v1/audits/${month}?limit=1`, { token: auditor });
  expect(paged.body.items).toHaveLength(1);
  const second = await api("GET", `/v1/audits/${month}?limit=1&cursor=${paged.body.next}`, { token: auditor });
  expect(second.body.items[0].group).toBe(body.items[1].group);

  const read = (format: string) =>
    fetch(`${deployed.cloud.endpoints.api}/v1/audits/${month}?format=${format}&language=zh`, {
      headers: { authorization: `Bearer ${auditor}` },
    });
  const file = await read("xlsx");
  expect(file.headers.get("content-disposition")).toBe(`attachment; filename="safeport-audit-${month}.xlsx"`);
  const book = await readXlsx(new Uint8Array(await file.arrayBuffer()));
  expect(book.sheets.map((it) => it.name)).toEqual(["概览", "按安全组和责任人", "开放端口", "未能检查"]);
  expect(book.sheets[2]?.rows.length).toBe(body.totals.open + 1);
  const page = await read("html");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain(`端口使用审计 ${month}`);

  expect(receiver.received.map(({ json, wrong }) => [json["type"], wrong])).toEqual([["safeport.auditReady", null]]);
}, 90_000);
