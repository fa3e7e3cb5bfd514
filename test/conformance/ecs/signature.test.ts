// Who may call, and what happens to requests that are not what was signed.
import { createHash } from "node:crypto";
import { DescribeRegionsRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { canonicalRequest, signatureOf } from "../../../local/protocol/rpc/acs3.ts";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, clientOf, refusalOf, regionId, ssh, startedAt } from "./world.ts";

interface RawParts {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface RawRequest {
  readonly query?: string;
  readonly body?: string;
  readonly action?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Applied after signing. */
  readonly tamper?: (raw: RawParts) => Partial<RawParts>;
}

const send = async (endpoint: string, { query = "", body = "", action = "DescribeRegions", ...rest }: RawRequest) => {
  const signed: Record<string, string> = {
    host: endpoint,
    "x-acs-action": action,
    "x-acs-version": "2014-05-26",
    "x-acs-date": "2026-11-20T07:28:38Z",
    "x-acs-signature-nonce": "n-1",
    "x-acs-content-sha256": createHash("sha256").update(body).digest("hex"),
    ...rest.headers,
  };
  const names = Object.keys(signed).sort().join(";");
  const request = { method: "POST", path: "/", rawQuery: query, headers: signed, body: Buffer.from(body) };
  const signature = signatureOf(canonicalRequest(request, names), "secret-1");
  const headers: Record<string, string> = {
    ...signed,
    authorization: `ACS3-HMAC-SHA256 Credential=AK1,SignedHeaders=${names},Signature=${signature}`,
  };
  const signedParts = { query, headers, body };
  const raw = { ...signedParts, ...rest.tamper?.(signedParts) };
  const answer = await fetch(`http://${endpoint}/?${raw.query}`, {
    method: "POST",
    headers: raw.headers,
    ...(raw.body === "" ? {} : { body: raw.body }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
};

const aForm: RawRequest = {
  body: "AcceptLanguage=en-US",
  headers: { "content-type": "application/x-www-form-urlencoded" },
};

/** The same request with another value of a header, or without it. */
const withHeader =
  (name: string, value?: string): NonNullable<RawRequest["tamper"]> =>
  ({ headers }) => {
    const others = Object.entries(headers).filter(([each]) => each !== name);
    return { headers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]) };
  };

describe("the signature", () => {
  itEmbedded("refuses an unknown key and a wrong secret, and leaves no effect", async () => {
    const { ecs } = await aWorld();
    const before = ecs.groups();
    const unknown = clientOf(ecs, "AK9");
    const wrong = clientOf(ecs, "AK1", "secret-2");
    expect(await refusalOf(authorize(unknown, [ssh()]))).toEqual({
      statusCode: 404,
      code: "InvalidAccessKeyId.NotFound",
    });
    expect(await refusalOf(authorize(wrong, [ssh()]))).toEqual({ statusCode: 400, code: "SignatureDoesNotMatch" });
    expect(ecs.groups()).toEqual(before);
  });

  itEmbedded("accepts a request signed by hand, which the refusals below start from", async () => {
    const { ecs } = await aWorld();
    expect((await send(ecs.endpoint, aForm)).status).toBe(200);
  });

  itEmbedded.each<[string, NonNullable<RawRequest["tamper"]>, string]>([
    ["a changed query", () => ({ query: "RegionId=cn-shanghai" }), "SignatureDoesNotMatch"],
    ["a changed body", () => ({ body: "AcceptLanguage=zh-CN" }), "SignatureDoesNotMatch"],
    ["a changed action", withHeader("x-acs-action", "DeleteSecurityGroup"), "SignatureDoesNotMatch"],
    ["an added header that is not signed", withHeader("x-acs-extra", "1"), "IncompleteSignature"],
    ["no authorization", withHeader("authorization"), "IncompleteSignature"],
    ["no date", withHeader("x-acs-date"), "IncompleteSignature"],
  ])("refuses %s", async (_what, tamper, code) => {
    const { ecs } = await aWorld();
    const { status, body } = await send(ecs.endpoint, { ...aForm, tamper });
    expect({ status, code: body.Code }).toEqual({ status: 400, code });
  });
});

describe("the wire", () => {
  itEmbedded("takes parameters from a form body as from the query", async () => {
    const { ecs } = await aWorld();
    const { body } = await send(ecs.endpoint, {
      action: "DescribeSecurityGroups",
      query: `RegionId=${regionId}`,
      body: "SecurityGroupName=web&MaxResults=1",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(body).toMatchObject({ SecurityGroups: { SecurityGroup: [{ SecurityGroupId: "sg-web" }] } });
  });

  itEmbedded("answers errors in the service's shape and dates by the injected clock", async () => {
    const { ecs } = await aWorld();
    const { status, headers, body } = await send(ecs.endpoint, { action: "DescribeMoonPhase" });
    expect(status).toBe(404);
    expect(body).toEqual({
      RequestId: headers.get("x-acs-request-id"),
      HostId: "ecs.cn-hangzhou.aliyuncs.com",
      Code: "InvalidAction.NotFound",
      Message: expect.any(String),
      Recommend: expect.stringContaining("InvalidAction.NotFound"),
    });
    expect(headers.get("date")).toBe(new Date(startedAt).toUTCString());
  });

  itEmbedded("sends the priority of a rule as a number", async () => {
    const { ecs } = await aWorld();
    const { body } = await send(ecs.endpoint, {
      action: "DescribeSecurityGroupAttribute",
      query: `RegionId=${regionId}&SecurityGroupId=sg-web`,
    });
    expect(body).toMatchObject({ Permissions: { Permission: [{ Priority: 1 }, {}, {}] } });
  });

  itEmbedded("tells users apart", async () => {
    const { ecs, calls } = await aWorld();
    await clientOf(ecs, "AK2").describeRegions(new DescribeRegionsRequest({}));
    expect(calls[0]).toMatchObject({ principal: "alice", accessKeyId: "AK2", status: 200 });
  });
});
