// Rules that name a prefix list, by SDK and by bytes.
import { ModifySecurityGroupRuleRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { topologyOf } from "../../../local/services/ecs/topology-of.ts";
import { itEmbedded } from "./it-embedded.ts";
import { add, create, drop, modify } from "./prefix-list-calls.ts";
import { authorize, aWorld, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const none = undefined as never;

describe("rules that name a prefix list", () => {
  const from = (sourcePrefixListId: string) => ssh({ sourceCidrIp: none, sourcePrefixListId });

  itEmbedded("read back with the id and the name of the list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await authorize(client, [from(id)]);
    expect((await rulesOf(client))[2]).toMatchObject({
      sourcePrefixListId: id,
      sourcePrefixListName: "office",
      sourceCidrIp: "",
    });
  });

  itEmbedded("let in what the list holds at the time, and the data plane hears of every change", async () => {
    const { client, ecs } = await aWorld();
    const id = await create(client);
    await authorize(client, [from(id)]);
    const isIn = (sourceAddress: string): boolean =>
      verdict(
        topologyOf(ecs),
        { sourceAddress, destAddress: "127.10.0.11", protocol: "TCP", destPort: 22 },
        { destCidrIp: "honoured" },
      ).accept;
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(...groupIds));
    expect([isIn("203.0.113.9"), isIn("192.0.2.1")]).toEqual([true, false]);
    await modify(client, id, { addEntry: [add("192.0.2.0/24")], removeEntry: [drop("203.0.113.0/28")] });
    expect([isIn("203.0.113.9"), isIn("192.0.2.1")]).toEqual([false, true]);
    expect(told).toEqual(["sg-web"]);
  });

  itEmbedded("count for as many rules as the list may hold", async () => {
    const { client } = await aWorld({ limits: { rulesPerGroup: 6 } });
    const id = await create(client);
    await authorize(client, [from(id)]);
    expect(await refusalOf(authorize(client, [ssh()]))).toEqual({ statusCode: 403, code: "AuthorizationLimitExceed" });
  });

  itEmbedded("count for as many when a rule is moved to another list, too", async () => {
    const { client } = await aWorld({ limits: { rulesPerGroup: 5 } });
    const small = await create(client, { maxEntries: 1, entry: [] });
    const large = await create(client, { maxEntries: 4, prefixListName: "offices" });
    await authorize(client, [from(small)]);
    const securityGroupRuleId = (await rulesOf(client))[2]?.securityGroupRuleId as string;
    const move = (sourcePrefixListId: string) =>
      client.modifySecurityGroupRule(
        new ModifySecurityGroupRuleRequest({
          regionId,
          securityGroupId: "sg-web",
          securityGroupRuleId,
          sourcePrefixListId,
        }),
      );
    expect(await refusalOf(move(large))).toEqual({ statusCode: 403, code: "AuthorizationLimitExceed" });
    expect((await rulesOf(client))[2]).toMatchObject({ sourcePrefixListId: small });
    await move(await create(client, { maxEntries: 2, prefixListName: "two" }));
  });

  itEmbedded("are refused for a list that is not there, of the other family, or with too many groups", async () => {
    const { client } = await aWorld({ limits: { listAssociations: 1 } });
    expect(await refusalOf(authorize(client, [from("pl-nobody")]))).toEqual({
      statusCode: 404,
      code: "InvalidPrefixListId.NotFound",
    });
    const six = await create(client, { addressFamily: "IPv6", entry: [] });
    const mixed = ssh({ sourceCidrIp: none, sourcePrefixListId: six, destCidrIp: "127.10.0.11" });
    expect((await refusalOf(authorize(client, [mixed]))).code).toBe("InvalidParam.PrefixListAddressFamilyMismatch");
    await authorize(client, [from(six)]);
    expect(await refusalOf(authorize(client, [from(six)], { securityGroupId: "sg-empty" }))).toEqual({
      statusCode: 403,
      code: "LimitExceed.PrefixListAssociationResource",
    });
  });
});
