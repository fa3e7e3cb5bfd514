// Who may call, and what happens to requests that are not what was signed.
import { DescribeRegionsRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { type RawCall, type SignedParts, sendParts, signed } from "./raw.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { authorize, aWorld, clientOf, placeOf, refusalOf, regionId, rulesOf, ssh, startedAt } from "./world.ts";

type Spoil = (parts: SignedParts) => Partial<SignedParts>;

/** The embedded service of the test, and what it answers to a call that is signed and then spoiled. */
const aSender = async () => {
  const world = await aWorld();
  const place = placeOf(world.ecs);
  const send = (call: Partial<RawCall>, spoil: Spoil = () => ({})) => {
    const parts = signed(place, { action: "DescribeRegions", ...call });
    return sendParts(place, { ...parts, ...spoil(parts) });
  };
  return { ...world, send };
};

const aForm: Partial<RawCall> = { form: { AcceptLanguage: "en-US" } };

/** The same request with another value of a header, or without it. */
const withHeader =
  (name: string, value?: string): Spoil =>
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
    const { send } = await aSender();
    expect((await send(aForm)).status).toBe(200);
  });

  itEmbedded.each<[string, Spoil, string]>([
    ["a changed query", () => ({ query: "RegionId=cn-shanghai" }), "SignatureDoesNotMatch"],
    ["a changed body", () => ({ body: "AcceptLanguage=zh-CN" }), "SignatureDoesNotMatch"],
    ["a changed action", withHeader("x-acs-action", "DeleteSecurityGroup"), "SignatureDoesNotMatch"],
    ["another method", () => ({ method: "GET" }), "SignatureDoesNotMatch"],
    ["an added header that is not signed", withHeader("x-acs-extra", "1"), "IncompleteSignature"],
    ["no authorization", withHeader("authorization"), "IncompleteSignature"],
    ["the old signature", withHeader("authorization", "acs AK1:abc"), "IncompleteSignature"],
    ["no date", withHeader("x-acs-date"), "IncompleteSignature"],
    ["no nonce", withHeader("x-acs-signature-nonce"), "IncompleteSignature"],
    ["no digest", withHeader("x-acs-content-sha256"), "IncompleteSignature"],
  ])("refuses %s", async (_what, spoil, code) => {
    const { send } = await aSender();
    const { status, body } = await send(aForm, spoil);
    expect({ status, code: body["Code"] }).toEqual({ status: 400, code });
  });
});

describe("a nonce", () => {
  itEmbedded("counts once: the same request again is refused, and changes nothing", async () => {
    const { ecs } = await aWorld();
    const place = placeOf(ecs);
    const parts = signed(place, { action: "CreateSecurityGroup", query: { RegionId: regionId, VpcId: "vpc-1" } });
    expect((await sendParts(place, parts)).status).toBe(200);
    const before = ecs.groups();
    const again = await sendParts(place, parts);
    expect([again.status, again.body["Code"]]).toEqual([400, "SignatureNonceUsed"]);
    expect(ecs.groups()).toEqual(before);
  });

  itEmbedded("may come again for another key, or when the first request was not authentic", async () => {
    const { ecs } = await aWorld();
    const place = placeOf(ecs);
    const headers = { "x-acs-signature-nonce": "the-same" };
    const ask = async (key: { readonly accessKeyId: string; readonly accessKeySecret: string }) =>
      outcomeOf(await sendParts(place, signed({ ...place, ...key }, { action: "DescribeRegions", headers })));
    const [one, other] = ["1", "2"].map((n) => ({ accessKeyId: `AK${n}`, accessKeySecret: `secret-${n}` }));
    if (one === undefined || other === undefined) throw new Error("there are two keys");
    expect(await ask({ ...one, accessKeySecret: "wrong" })).toBe("400 SignatureDoesNotMatch");
    expect([await ask(one), await ask(other), await ask(one)]).toEqual(["200 OK", "200 OK", "400 SignatureNonceUsed"]);
  });
});

describe("the wire", () => {
  itEmbedded("takes parameters from a form body as from the query", async () => {
    const { send } = await aSender();
    const { body } = await send({
      action: "DescribeSecurityGroups",
      query: { RegionId: regionId },
      form: { SecurityGroupName: "web", MaxResults: "1" },
    });
    expect(body).toMatchObject({ SecurityGroups: { SecurityGroup: [{ SecurityGroupId: "sg-web" }] } });
  });

  it("verifies what is hard to encode, and reads it back", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    const Description = "*!'()~+&=% ;/?:@,#[]\"<>说 é 😀";
    const rule = { SecurityGroupId, IpProtocol: "tcp", PortRange: "22/22", SourceCidrIp: "10.0.0.0/8", Description };
    expect((await call("AuthorizeSecurityGroup", rule)).status).toBe(200);
    expect((await rulesOf(client, SecurityGroupId))[0]?.description).toBe(Description);
  });

  it("takes GET as it takes POST, and no other method", async () => {
    const { call } = await aTarget();
    expect((await call("DescribeRegions", {}, { method: "GET" })).status).toBe(200);
    expect(outcomeOf(await call("DescribeRegions", {}, { method: "PUT" }))).toBe("403 UnsupportedHTTPMethod");
  });

  it("refuses an operation and a version that nobody serves", async () => {
    const { call } = await aTarget();
    expect(outcomeOf(await call("DescribeMoonPhase"))).toBe("404 InvalidAction.NotFound");
    expect(outcomeOf(await call("DescribeRegions", {}, { version: "2010-01-01" }))).toMatch(/^40[04] Invalid/);
  });

  itEmbedded("answers errors in the service's shape and dates by the injected clock", async () => {
    const { send } = await aSender();
    const { status, headers, body } = await send({ action: "DescribeMoonPhase" });
    expect(status).toBe(404);
    expect(body).toEqual({
      RequestId: headers["x-acs-request-id"],
      HostId: "ecs.cn-hangzhou.aliyuncs.com",
      Code: "InvalidAction.NotFound",
      Message: expect.any(String),
      Recommend: expect.stringContaining("InvalidAction.NotFound"),
    });
    expect(headers["date"]).toBe(new Date(startedAt).toUTCString());
  });

  itEmbedded("sends the priority of a rule as a number", async () => {
    const { call } = await aWorld();
    const { body } = await call("DescribeSecurityGroupAttribute", { SecurityGroupId: "sg-web" });
    expect(body).toMatchObject({ Permissions: { Permission: [{ Priority: 1 }, {}, {}] } });
  });

  itEmbedded("tells users apart", async () => {
    const { ecs, calls } = await aWorld();
    await clientOf(ecs, "AK2").describeRegions(new DescribeRegionsRequest({}));
    expect(calls[0]).toMatchObject({ principal: "alice", accessKeyId: "AK2", status: 200 });
  });
});
