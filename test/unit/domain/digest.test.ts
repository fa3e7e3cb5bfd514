// The digest that ids and changes are known by.
import { expect, test } from "vitest";
import { sha256Hex } from "../../../shared/domain/digest.ts";

test("a digest is the SHA-256 of the text's UTF-8 bytes", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256Hex("é")).toBe("4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c");
});
