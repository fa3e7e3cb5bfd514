// Every kind of fault, set through the control API of a whole cloud as tools of any language set it, as a caller of ECS meets it.

import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import type { FaultRule } from "../../../local/faults.ts";
import { seedUser, seedUserNames } from "../../../local/seed.ts";
import { ecsClient } from "./rpc-call.ts";

const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);

interface World {
  readonly cloud: Cloud;
  /** Replaces the faults by one of `AuthorizeSecurityGroup`, or of another operation. */
  readonly set: (fault: FaultRule["fault"], rule?: Partial<FaultRule>) => Promise<void>;
  /** Opens a port; resolves with what came of it. */
  readonly open: (port: number) => Promise<string>;
  /** The ports that were opened, in the order of their rules. */
  readonly opened: () => Promise<number[]>;
}

async function aWorld(): Promise<World> {
  const cloud = await startCloud({ range: "127.122.0.0/16", engine: "userspace", startMs: START_MS });
  onTestFinished(() => cloud.stop());
  const ecs = ecsClient(cloud, seedUser(cloud.account, seedUserNames.admin));
  const SecurityGroupId = cloud.account.groups.find(({ name }) => name === "legacy")?.groupId ?? "";
  const read = async (): Promise<number[]> => {
    const { body } = await ecs("DescribeSecurityGroupAttribute", { SecurityGroupId });
    const { Permissions } = body as { Permissions: { Permission: { PortRange: string }[] } };
    return Permissions.Permission.map(({ PortRange }) => Number(PortRange.split("/")[0]));
  };
  const before = await read();
  return {
    cloud,
    set: async (fault, rule = {}) => {
      const faults = [{ service: "ecs", operation: "AuthorizeSecurityGroup", ...rule, fault }];
      const answer = await fetch(`${cloud.endpoints.control}/faults`, {
        method: "PUT",
        body: JSON.stringify({ faults }),
      });
      expect([answer.status, await answer.json()]).toEqual([200, { faults }]);
    },
    open: (port) =>
      ecs("AuthorizeSecurityGroup", {
        SecurityGroupId,
        "Permissions.1.IpProtocol": "TCP",
        "Permissions.1.PortRange": `${port}/${port}`,
        "Permissions.1.SourceCidrIp": "203.0.113.7",
      }).then(
        () => "done",
        ({ statusCode, code }: { statusCode?: number; code?: string }) => `${statusCode ?? ""} ${code ?? ""}`.trim(),
      ),
    opened: async () => (await read()).filter((port) => !before.includes(port)),
  };
}

it.each<[string, FaultRule["fault"], answer: RegExp, opened: number[]]>([
  ["throttle", { kind: "reject", status: 400, code: "Throttling.User" }, /^400 Throttling\.User$/, []],
  ["5xx", { kind: "reject", status: 503, code: "ServiceUnavailable" }, /^503 ServiceUnavailable$/, []],
  ["lost before the effect", { kind: "drop-before" }, /^(?!done)/, []],
  ["lost reply after the effect", { kind: "drop-after" }, /^(?!done)/, [4001]],
  ["non-JSON body", { kind: "html-502" }, /^(?!done)/, []],
  ["duplicate", { kind: "duplicate" }, /^done$/, [4001]],
  ["crash", { kind: "crash" }, /^(?!done)/, [4001]],
])("%s", async (_, fault, answer, opened) => {
  const { cloud, set, open, opened: read } = await aWorld();
  await set(fault, { times: 1 });
  expect(await open(4001)).toMatch(answer);
  expect(await read()).toEqual(opened);
  const asked = cloud.calls.since(0).calls.filter(({ operation }) => operation === "AuthorizeSecurityGroup");
  expect(asked).toHaveLength(fault.kind === "duplicate" ? 2 : 1);
  expect(await open(4002)).toBe("done");
});

it("delay", async () => {
  const { cloud, set, open, opened } = await aWorld();
  await set({ kind: "delay", ms: 5_000 }, { times: 1 });
  const answer = open(4001);
  await expect.poll(() => cloud.clock.sleeping).toBe(1);
  expect(await opened()).toEqual([]);
  await cloud.advance(5_000);
  expect(await answer).toBe("done");
  expect(await opened()).toEqual([4001]);
});

it("reorder", async () => {
  const { cloud, set, open, opened } = await aWorld();
  await set({ kind: "reorder" }, { times: 1 });
  const early = open(4001);
  await expect.poll(() => cloud.clock.sleeping).toBe(1);
  expect(await open(4002)).toBe("done");
  expect(await early).toBe("done");
  expect(await opened()).toEqual([4002, 4001]);
});

it("stale read", async () => {
  const { set, open, opened } = await aWorld();
  await open(4001);
  await set({ kind: "stale-read", ms: 1 }, { operation: "DescribeSecurityGroupAttribute", times: 1 });
  expect(await opened()).toEqual([]);
  expect(await opened()).toEqual([4001]);
});

it("clock skew", async () => {
  const { cloud, set } = await aWorld();
  const ecs = ecsClient(cloud, seedUser(cloud.account, seedUserNames.admin));
  await set({ kind: "skew", ms: -60_000 }, { operation: "DescribeRegions" });
  const { headers } = await ecs("DescribeRegions", {});
  expect((headers as Record<string, string>)["date"]).toBe(new Date(START_MS - 60_000).toUTCString());
});
