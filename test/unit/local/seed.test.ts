// The seeded account and the options of the stand-alone cloud.

import { expect, it } from "vitest";
import { readOptions } from "../../../local/main.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount } from "../../../local/seed.ts";

it("draws the same account from the same seed and another from another", () => {
  const one = seedAccount(seededRandom("a"));
  expect(seedAccount(seededRandom("a"))).toEqual(one);
  const other = seedAccount(seededRandom("b"));
  expect(other.users[0]?.accessKeySecret).not.toBe(one.users[0]?.accessKeySecret);
});

it("serves 80 and 443 of web-1 to everybody and keeps 22 and 3306 closed", () => {
  const account = seedAccount(seededRandom("a"));
  const web = account.groups.find((group) => group.name === "web");
  expect(web?.rules.map((rule) => [rule.portRange, rule.sourceCidrIp])).toEqual([
    ["80/80", "0.0.0.0/0"],
    ["443/443", "0.0.0.0/0"],
  ]);
  const web1 = account.instances.find((instance) => instance.name === "web-1");
  expect(web1).toMatchObject({ address: "127.10.0.11", listening: [22, 80, 443, 3306], groupIds: [web?.groupId] });
});

it("reads ports and home from flags before the environment", () => {
  const environment = { PORT: "8000", SAFEPORT_HOME: "/var/s" };
  expect(readOptions([], environment)).toMatchObject({
    ports: { api: 8_000, control: 9_099 },
    directory: "/var/s/cloud",
  });
  expect(readOptions(["--port", "0", "--home", "/h", "--engine", "userspace"], environment)).toMatchObject({
    ports: { api: 0 },
    directory: "/h/cloud",
    engine: "userspace",
  });
});

it.each([[["--port", "x"]], [["--engine", "fast"]], [["--unknown", "1"]]])("refuses %j", (flags) => {
  expect(() => readOptions(flags, {})).toThrow();
});
