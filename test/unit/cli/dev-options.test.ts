// What `npm start` takes from the environment.
import { describe, expect, test } from "vitest";
import { readDevOptions } from "../../../cli/dev/options.ts";

describe("development options", () => {
  test("are the documented ports and home without any setting", () => {
    expect(readDevOptions({})).toEqual({
      home: ".safeport",
      ports: {
        api: 9000,
        control: 9099,
        ecs: 9100,
        tablestore: 9101,
        cms: 9102,
        sls: 9103,
        fc: 9104,
        actiontrail: 9105,
        vpc: 9106,
        ram: 9107,
      },
      engine: "auto",
      network: "127.10",
    });
  });

  test("PORT moves every service, unless a service has its own", () => {
    const { ports } = readDevOptions({ PORT: "9200", SAFEPORT_ECS_PORT: "7000" });
    expect(ports).toEqual({
      ...{ api: 9200, control: 9299, ecs: 7000, tablestore: 9301, cms: 9302, sls: 9303, fc: 9304 },
      actiontrail: 9305,
      vpc: 9306,
      ram: 9307,
    });
  });

  test("PORT=0 lets the machine choose all of them", () => {
    expect(new Set(Object.values(readDevOptions({ PORT: "0" }).ports))).toEqual(new Set([0]));
  });

  test.each([
    ["PORT", { PORT: "abc" }],
    ["PORT", { PORT: "70000" }],
    ["PORT", { PORT: "65500" }],
    ["SAFEPORT_NETWORK", { SAFEPORT_NETWORK: "10.0" }],
    ["SAFEPORT_NETWORK", { SAFEPORT_NETWORK: "127.0" }],
    ["SAFEPORT_ENGINE", { SAFEPORT_ENGINE: "magic" }],
  ])("a wrong %s is told by name", (name, env) => {
    expect(() => readDevOptions(env)).toThrow(name);
  });
});
