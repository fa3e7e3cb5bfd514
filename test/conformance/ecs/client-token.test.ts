// What a ClientToken does to a repeated call, through the official SDK.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aDirectory, authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh, until } from "./world.ts";

const closeLast = async (client: Client) => {
  const securityGroupRuleId = [(await rulesOf(client)).at(-1)?.securityGroupRuleId ?? ""];
  await client.revokeSecurityGroup(
    new RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId }),
  );
};

describe("ClientToken", () => {
  itEmbedded("answers the first result without acting again", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh()], { clientToken: "t-1" });
    await closeLast(client);
    await authorize(client, [ssh()], { clientToken: "t-1" });
    expect(await rulesOf(client)).toHaveLength(2);
    await authorize(client, [ssh()], { clientToken: "T-1" });
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("is bound to the parameters it first came with", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh()], { clientToken: "t-1" });
    const refused = await refusalOf(authorize(client, [ssh({ priority: "2" })], { clientToken: "t-1" }));
    expect(refused).toEqual({ statusCode: 400, code: "IdempotentParameterMismatch" });
  });

  itEmbedded("has at most 64 characters of ASCII", async () => {
    const { client } = await aWorld();
    for (const clientToken of ["x".repeat(65), "令牌"]) {
      expect((await refusalOf(authorize(client, [ssh()], { clientToken }))).code).toBe("InvalidClientToken.Malformed");
    }
    await authorize(client, [ssh()], { clientToken: "x".repeat(64) });
  });

  itEmbedded.each([
    ["evaluated", 1],
    ["repeated", 0],
  ] as const)("has a refused call %s when it comes again", async (refusedClientToken, added) => {
    const { client, ecs } = await aWorld({ limits: { rulesPerGroup: 3 }, switches: { refusedClientToken } });
    const call = () => authorize(client, [ssh()], { clientToken: "t-1" });
    expect((await refusalOf(call())).code).toBe("AuthorizationLimitExceed");
    await client.revokeSecurityGroup(
      new RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId: ["sgr-80"] }),
    );
    await call().catch(() => undefined);
    expect((ecs.groups()[0]?.rules.length ?? 0) - 2).toBe(added);
  });

  itEmbedded("leaves nothing behind when its time is over, in memory and on the disk", async () => {
    const directory = await aDirectory();
    const { client, clock, ecs } = await aWorld({ directory, limits: { clientTokenMs: 60_000 } });
    for (const clientToken of ["t-1", "t-2", "t-3"]) {
      await authorize(client, [ssh()], { clientToken });
      await closeLast(client);
      await clock.advance(20_000);
    }
    await clock.advance(25_000);
    await authorize(client, [ssh()], { clientToken: "t-4" });
    const keys = (): string[] => ecs.snapshot().tokens.map(({ key }) => key.split(" ")[1] ?? "");
    expect(keys()).toEqual(["t-3", "t-4"]);
    const database = new Database(join(directory, "ecs.sqlite"), { readonly: true });
    onTestFinished(() => void database.close());
    expect(database.prepare("SELECT count(*) AS n FROM tokens").get()).toMatchObject({ n: 2 });
  });

  itEmbedded("is forgotten after its time", async () => {
    const { client, clock } = await aWorld({ limits: { clientTokenMs: 60_000 } });
    await authorize(client, [ssh()], { clientToken: "t-1" });
    await closeLast(client);
    await clock.advance(60_001);
    await authorize(client, [ssh()], { clientToken: "t-1" });
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("survives a restart", async () => {
    const directory = await aDirectory();
    const first = await aWorld({ directory });
    await authorize(first.client, [ssh()], { clientToken: "t-1" });
    await closeLast(first.client);
    await first.ecs.stop();
    const second = await aWorld({ directory });
    await authorize(second.client, [ssh()], { clientToken: "t-1" });
    expect(await rulesOf(second.client)).toHaveLength(2);
  });

  itEmbedded("is refused while its first call is still running, and answered after it", async () => {
    const { client, ecs } = await aWorld();
    const held = { release: () => {} };
    const stop = ecs.onRulesChanged(() => new Promise<void>((resolve) => (held.release = resolve)));
    const first = authorize(client, [ssh()], { clientToken: "t-1" });
    await until(() => ecs.groups()[0]?.rules.length === 4);
    expect(await refusalOf(authorize(client, [ssh()], { clientToken: "t-1" }))).toEqual({
      statusCode: 403,
      code: "IdempotentProcessing",
    });
    held.release();
    await first;
    stop();
    await authorize(client, [ssh()], { clientToken: "t-1" });
    expect(await rulesOf(client)).toHaveLength(3);
  });
});

describe("ClientToken by bytes", () => {
  const flat = { IpProtocol: "tcp", PortRange: "22/22", Policy: "accept", Priority: "1" };
  const ingress = { ...flat, SourceCidrIp: "203.0.113.7/32" };
  const egress = { ...flat, DestCidrIp: "203.0.113.7/32" };

  it.each([
    ["RevokeSecurityGroup", "ingress", {}],
    ["RevokeSecurityGroupEgress", "egress", {}],
    ["ModifySecurityGroupRule", "ingress", { ...ingress, Priority: "7" }],
    ["ModifySecurityGroupEgressRule", "egress", { ...egress, Priority: "7" }],
  ] as const)("has %s answered as before when it comes again", async (action, direction, change) => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    await call("AuthorizeSecurityGroup", { SecurityGroupId, ...ingress });
    await call("AuthorizeSecurityGroupEgress", { SecurityGroupId, ...egress });
    const id = (await rulesOf(client, SecurityGroupId, direction))[0]?.securityGroupRuleId ?? "";
    const name = action.startsWith("Revoke") ? "SecurityGroupRuleId.1" : "SecurityGroupRuleId";
    const query = { SecurityGroupId, [name]: id, ...change, ClientToken: randomUUID() };
    expect(outcomeOf(await call(action, query))).toBe("200 OK");
    expect(outcomeOf(await call(action, query))).toBe("200 OK");
    const other = await call(action, { ...query, [name]: nobody.rule });
    expect(outcomeOf(other)).toMatch(/^40[03] IdempotentParameterMismatch$/);
  });

  it("has ModifySecurityGroupPolicy act once", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const set = (InnerAccessPolicy: string, ClientToken: string) =>
      call("ModifySecurityGroupPolicy", { SecurityGroupId, InnerAccessPolicy, ClientToken });
    const [first, second] = [randomUUID(), randomUUID()];
    await set("Drop", first);
    await set("Accept", second);
    expect(outcomeOf(await set("Drop", first))).toBe("200 OK");
    const { body } = await call("DescribeSecurityGroupAttribute", { SecurityGroupId });
    expect(body["InnerAccessPolicy"]).toBe("Accept");
  });
});
