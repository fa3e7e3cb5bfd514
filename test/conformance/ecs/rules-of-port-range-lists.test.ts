// Rules that name a port list, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { topologyOf } from "../../../local/services/ecs/topology-of.ts";
import { itEmbedded } from "./it-embedded.ts";
import { by, create, modify } from "./port-range-list-calls.ts";
import { authorize, aWorld, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

describe("rules that name a port list", () => {
  itEmbedded("read back with its id and name, and open what it holds at the time", async () => {
    const { client, ecs } = await aWorld();
    const id = await create(client);
    await authorize(client, [by(id)]);
    expect((await rulesOf(client))[2]).toMatchObject({
      portRangeListId: id,
      portRangeListName: "web-ports",
      portRange: "",
    });
    const isIn = (destPort: number): boolean =>
      verdict(
        topologyOf(ecs),
        { sourceAddress: "203.0.113.7", destAddress: "127.10.0.11", protocol: "TCP", destPort },
        { destCidrIp: "honoured" },
      ).accept;
    expect([isIn(8000), isIn(8100), isIn(8101)]).toEqual([true, true, false]);
    await modify(client, id, { addEntry: [new sdk.ModifyPortRangeListRequestAddEntry({ portRange: "8101/8101" })] });
    expect(isIn(8101)).toBe(true);
  });

  itEmbedded("have the range of their own win over the list", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh({ portRangeListId: "prl-nobody" })]);
    expect((await rulesOf(client))[2]).toMatchObject({ portRange: "22/22", portRangeListId: "" });
  });

  itEmbedded("are of TCP or UDP, and stay with their list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    expect((await refusalOf(authorize(client, [by(id, { ipProtocol: "icmp" })]))).code).toBe(
      "InvalidParam.ProtocolNotSupportPortRangeList",
    );
    await authorize(client, [by(id)]);
    const securityGroupRuleId = (await rulesOf(client))[2]?.securityGroupRuleId ?? "";
    const change = (more: Partial<sdk.ModifySecurityGroupRuleRequest>) =>
      client.modifySecurityGroupRule(
        new sdk.ModifySecurityGroupRuleRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId, ...more }),
      );
    expect((await refusalOf(change({ portRange: "1/1" }))).code).toBe("InvalidOperation.ModifyPortRangeType");
    await change({ description: "new words" });
    expect((await rulesOf(client))[2]).toMatchObject({ portRangeListId: id, description: "new words" });
  });
});
