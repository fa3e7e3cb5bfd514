// ModifyNetworkInterfaceAttribute, which can replace the groups of an interface, by SDK and by bytes.
import { ModifyNetworkInterfaceAttributeRequest } from "@alicloud/ecs20140526";
import { expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld, regionId } from "./world.ts";

itEmbedded("ModifyNetworkInterfaceAttribute replaces the groups of the interface", async () => {
  const { client, ecs } = await aWorld();
  const request = { regionId, networkInterfaceId: "eni-second", securityGroupId: ["sg-web"] };
  await client.modifyNetworkInterfaceAttribute(new ModifyNetworkInterfaceAttributeRequest(request));
  expect(ecs.enis().find((eni) => eni.eniId === "eni-second")?.groupIds).toEqual(["sg-web"]);
});

itEmbedded("ModifyNetworkInterfaceAttribute refuses unknown, managed and groupless interfaces", async () => {
  const { call } = await aWorld();
  const modify = async (query: Record<string, string>) =>
    outcomeOf(await call("ModifyNetworkInterfaceAttribute", { RegionId: regionId, ...query }));
  const group = { "SecurityGroupId.1": "sg-empty" };
  expect(await modify(group)).toBe("400 MissingParameter");
  expect(await modify({ NetworkInterfaceId: "eni-nobody", ...group })).toBe("404 InvalidNetworkInterfaceId.NotFound");
  expect(await modify({ NetworkInterfaceId: "eni-lb", ...group })).toBe("403 InvalidOperation.EniServiceManaged");
  expect(await modify({ NetworkInterfaceId: "eni-second" })).toBe("400 MissingParameter");
});
