// Items of drift: which are open, and what their ids follow from.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type DriftState, driftIdOf, isOpenDrift } from "../../../shared/domain/drift-item.ts";
import { anItem } from "../../kit/drift-pictures.ts";

test.each<[DriftState, boolean]>([
  ["waiting", true],
  ["reported", true],
  ["held", true],
  ["rollingBack", true],
  ["rolledBack", false],
  ["adopted", false],
  ["restored", false],
  ["gone", false],
])("something may still become of an item that is %s: %s", (state, isOpen) => {
  expect(isOpenDrift(anItem({ state }))).toBe(isOpen);
});

test("an id follows from all the parts and from where each ends", () => {
  const digest = createHash("sha256").update('["sg-web","added"]').digest("hex");
  expect(driftIdOf(["sg-web", "added"])).toBe(`dr-${digest.slice(0, 20)}`);
  expect(driftIdOf(["sg-web", "added"])).not.toBe(driftIdOf(["sg-weba", "dded"]));
});
