// Names of the lists that a lockdown fills: whose they are, and for which scope and wording.
import { expect, it, test } from "vitest";
import {
  isStandbyListName,
  STANDBY_JOB,
  setOfListName,
  standbyHolder,
  standbyListName,
  standbyName,
  standbyShape,
} from "../../../shared/domain/standby.ts";

const PATH = { protocol: "tcp", port: "22", sources: ["203.0.113.0/24"] };
const SCOPE = { kind: "tag", tag: "env=prod" } as const;
const SHAPE = standbyShape(["80", "443"], [PATH]);

test("the shape is another with other core ports or another operator path", () => {
  const shapes = [SHAPE, standbyShape(["80"], [PATH]), standbyShape(["80", "443"], []), standbyShape([], [PATH])];
  expect(new Set(shapes).size).toBe(shapes.length);
  for (const shape of shapes) expect(shape).toMatch(/^[0-9a-f]{12}$/);
});

test("a set has a name of its own for each region, scope and shape", () => {
  const names = [
    standbyName("cn-hangzhou", SCOPE, SHAPE),
    standbyName("cn-beijing", SCOPE, SHAPE),
    standbyName("cn-hangzhou", { kind: "tag", tag: "env=test" }, SHAPE),
    standbyName("cn-hangzhou", SCOPE, standbyShape([], [])),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{12}$/);
  expect(standbyName("cn-hangzhou", { ...SCOPE }, SHAPE)).toBe(names[0]);
});

test("the job that looks at the lists is called as in the rows that are stored", () => {
  expect(STANDBY_JOB).toBe("lockdown-lists");
});

test("names in the cloud and in the ledger are as they were written before", () => {
  expect(standbyHolder("0123456789ab")).toBe("standby-0123456789ab");
  expect(standbyListName("prod", "0123456789ab", "ba9876543210")).toBe("safeport-prod-0123456789ab-ba9876543210");
  expect(standbyName("cn-hangzhou", SCOPE, SHAPE)).toBe("4aaf89099bcd");
});

it.each([
  ["prod", "safeport-prod-0123456789ab-ba9876543210", true],
  ["prod-b", "safeport-prod-b-0123456789ab-ba9876543210", true],
  ["prod", "safeport-prod-b-0123456789ab-ba9876543210", false],
  ["prod", "safeport-test-0123456789ab-ba9876543210", false],
  ["prod", "xsafeport-prod-0123456789ab-ba9876543210", false],
  ["prod", "SAFEPORT-prod-0123456789ab-ba9876543210", false],
  ["prod", "safeport-prod-0123456789ab-ba987654321", false],
  ["prod", "safeport-prod-0123456789a-ba9876543210", false],
  ["prod", "safeport-prod-x0123456789ab-ba9876543210", false],
  ["prod", "safeport-prod-0123456789ab-ba9876543210x", false],
  ["prod", "safeport-prod-", false],
])("of %s a list called %s: %s", (installation, name, isOurs) => {
  expect(isStandbyListName(installation, name)).toBe(isOurs);
});

test("the name of a list tells whose set it is of, whatever the installation is called", () => {
  for (const installation of ["prod", "prod-1-a"])
    expect(setOfListName(standbyListName(installation, "0123456789ab", "ba9876543210"))).toBe("0123456789ab");
  expect(setOfListName("theirs")).toBe("");
});
