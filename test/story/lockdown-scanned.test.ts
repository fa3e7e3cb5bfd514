// What a scanner sees of an instance before, during and after a lockdown: real packets, decided by the kernel.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { adoptSeed } from "../../cli/dev/adopt-seed.ts";
import { nftUnusable } from "../../local/dataplane/nft-process.ts";
import { deploy } from "../kit/deployed.ts";

const noNft = await nftUnusable(`safeport_scan_${process.pid}`);
const noNmap = spawnSync("nmap", ["--version"]).error;
if (noNft !== undefined) console.log(`What a scanner sees of a lockdown is not tested here: ${noNft}`);
if (noNmap !== undefined) console.log("What a scanner sees of a lockdown is not tested here: nmap is not installed.");

const CORE = [80, 443];
const SECRET = "a".repeat(48);

/** The open ports of each address, by one scan of the first 8,000. */
async function openPorts(addresses: readonly string[]): Promise<Readonly<Record<string, readonly number[]>>> {
  const options = ["-Pn", "-n", "-p1-8000", "-T5", "--min-rate", "8000", "--max-retries", "1", "-oG", "-"];
  const scan = spawn("nmap", [...options, ...addresses]);
  let printed = "";
  scan.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await once(scan, "close");
  const portsOf = (address: string): readonly number[] => {
    const line = printed.split("\n").find((it) => it.startsWith(`Host: ${address} `) && it.includes("Ports: "));
    return [...(line ?? "").matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port)).sort((a, b) => a - b);
  };
  return Object.fromEntries(addresses.map((address) => [address, portsOf(address)]));
}

test.skipIf(noNft !== undefined || noNmap !== undefined)(
  "only core ports answer during a lockdown, and exactly the earlier ones afterwards",
  async () => {
    const deployed = await deploy({ engine: "nft" });
    try {
      const { cloud } = deployed;
      expect(cloud.dataPlane.engine).toBe("nft");
      await adoptSeed(cloud.endpoints.api, deployed.tokens.admin);
      await deployed.api("PUT", "/safeport/temp_allow?port=22&period=1800&source=127.0.0.0/24");
      const hosts = ["web-1", "legacy-1"].map((name) => {
        const host = cloud.account.instances.find((it) => it.name === name);
        if (!host) throw new Error(`no instance ${name}`);
        return host;
      });
      const addresses = hosts.map(({ address }) => address);
      const before = await openPorts(addresses);
      for (const ports of Object.values(before)) expect(ports.filter((port) => !CORE.includes(port))).not.toEqual([]);

      const body = { groups: ["web", "legacy"], reason: "a drill" };
      const { body: started } = await deployed.api("POST", "/v1/lockdown", { body });
      expect(started).toMatchObject({ state: "active", closed: true });
      const during = await openPorts(addresses);
      for (const address of addresses)
        expect([address, during[address]]).toEqual([address, before[address]?.filter((port) => CORE.includes(port))]);

      // An alarm about one of them on top: it goes on when the other cause is over.
      const instance = deployed.instanceId("web-1");
      const tell = async (alertState: string, later: number) => {
        const form = new URLSearchParams({
          ...{ alertName: "ddos", alertState, triggerLevel: "CRITICAL", dimensions: `{instanceId=${instance}}` },
          timestamp: String(Math.floor(cloud.clock.now() / 1000) + later),
        });
        const answer = await fetch(`${cloud.endpoints.api}/alarm/${SECRET}`, { method: "POST", body: form });
        expect(answer.status).toBe(200);
      };
      await tell("ALERT", 0);
      await deployed.api("POST", `/v1/lockdown/${started.id}:lift`);
      const [web = "", legacy = ""] = addresses;
      const between = await openPorts(addresses);
      expect(between).toEqual({ [web]: during[web], [legacy]: before[legacy] });
      await tell("OK", 5);
      expect(await openPorts(addresses)).toEqual(before);

      // Whoever closes dies half-way, and so does whoever gives back: the next ticks bring both to their end.
      const dies = (operation: string) =>
        cloud.faults.set([{ service: "ecs", operation, times: 1, fault: { kind: "crash", when: "after" } }]);
      dies("AuthorizeSecurityGroup");
      expect((await deployed.api("POST", "/v1/lockdown", { body })).status).toBe(502);
      await deployed.advance(2 * 60_000);
      const { body: list } = await deployed.api("GET", "/v1/lockdown");
      const active = list.lockdowns.find((it: { readonly state: string }) => it.state === "active");
      expect(active).toMatchObject({ closed: true });
      expect(await openPorts(addresses)).toEqual(during);
      dies("RevokeSecurityGroup");
      expect((await deployed.api("POST", `/v1/lockdown/${active.id}:lift`)).status).toBe(502);
      await deployed.advance(3 * 60_000);
      const { body: over } = await deployed.api("GET", `/v1/lockdown/${active.id}`);
      expect(over).toMatchObject({ state: "lifted" });
      expect(await openPorts(addresses)).toEqual(before);
    } finally {
      await deployed.stop();
    }
  },
  120_000,
);
