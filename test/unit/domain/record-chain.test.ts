// Records and seals: what they are signed over, and what is taken for one. That whatever is done to a trail is found is in
// `test/property/record-chain.test.ts`.
import { createHash, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type ChainedRecord,
  isInstant,
  isSealSigned,
  isSigned,
  LATE_MS,
  publicKeyText,
  RECORDS_FLOOR_DAYS,
  readPublicKey,
  readSealBody,
  recordHash,
  recordKey,
  SEALED_EVERY_MS,
  SETTLED_MS,
  type SealBody,
  sealDigest,
  signRecord,
  signSeal,
  stampAt,
  stampOf,
} from "../../../shared/domain/record-chain.ts";

/** The last millisecond of the year 9999. */
const LAST = Date.UTC(10_000, 0) - 1;

/** Made anew within each test: what breaks while a file is read fails none. */
const made = () => {
  const key = recordKey("0123456789abcdef");
  const record = signRecord(
    {
      ...{ sequence: "000000000000007-aaaaaaaaaa", lane: "000000000000007-aaaaaaaaaa", n: 1, after: "", prev: "" },
      ...{ group: "sg-web", body: '{"at":7}' },
    },
    key,
  );
  const seal = signSeal({ ...body, records: [[record.sequence, recordHash(record)]] }, key);
  return { key, record, seal };
};
const body: SealBody = {
  ...{ number: 1, at: 8, previous: "", from: "", to: "000000000000008" },
  records: [["000000000000007-aaaaaaaaaa", "ab"]],
};

test("times are as documents tell them", () => {
  expect([RECORDS_FLOOR_DAYS, SETTLED_MS, LATE_MS, SEALED_EVERY_MS]).toEqual([180, 600_000, 7_200_000, 86_400_000]);
});

describe("the key", () => {
  test("follows from the secret alone, whatever was asked before", () => {
    const text = publicKeyText(made().key);
    expect(text).toBe("CrFiFVEREmDVH3aTAEG7dQzEpUYrhbql9P3Be5IB6zQ");
    expect(publicKeyText(recordKey("another"))).not.toBe(text);
    expect(publicKeyText(recordKey("0123456789abcdef"))).toBe(text);
    expect(recordKey("0123456789abcdef")).toBe(recordKey("0123456789abcdef"));
  });

  test("of its public half what was signed can be told", () => {
    const { key, record, seal } = made();
    const half = readPublicKey(publicKeyText(key));
    expect(half && isSigned(record, half)).toBe(true);
    expect(half && isSealSigned(seal, half)).toBe(true);
  });

  test.each(["", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}=`, ` ${"a".repeat(43)}`, `${"a".repeat(43)}\n`])(
    "is none: %j",
    (text) => {
      expect(readPublicKey(text)).toBeNull();
    },
  );
});

describe("a place in the trail", () => {
  test("sorts as time goes on, and is read back", () => {
    expect(stampAt(7)).toBe("000000000000007");
    expect(stampAt(1_764_000_000_000)).toBe("001764000000000");
    expect([stampOf("001764000000000-aaaaaaaaaa"), stampOf("000000000000007")]).toEqual([1_764_000_000_000, 7]);
  });

  test.each(["", "7", "00000000000007-a", "0000000000000007", "x000000000000007-a", "000000000000007x"])(
    "is none: %j",
    (text) => {
      expect(stampOf(text)).toBeNaN();
    },
  );

  test("is an instant from 1970 until the end of the year 9999", () => {
    expect([0, LAST].map(isInstant)).toEqual([true, true]);
    expect([-1, LAST + 1, Number.NaN, Number.POSITIVE_INFINITY].map(isInstant)).toEqual([false, false, false, false]);
    expect([stampOf(stampAt(0)), stampOf(stampAt(LAST))]).toEqual([0, LAST]);
    expect(stampOf(stampAt(LAST + 1))).toBeNaN();
  });
});

describe("a record", () => {
  test("is signed over all of it, and its hash takes in the signature", () => {
    const { key, record } = made();
    const { signature, ...said } = record;
    const text = Buffer.from(
      JSON.stringify([
        "record 1",
        ...["sequence", "lane", "n", "after", "prev", "group", "body"].map((name) => said[name as keyof typeof said]),
      ]),
    );
    expect(verify(null, text, key, Buffer.from(signature, "base64url"))).toBe(true);
    expect(recordHash(record)).toBe(createHash("sha256").update(text).update(`\n${signature}`).digest("hex"));
  });

  test.each<Partial<ChainedRecord> | ((signature: string) => string)>([
    { sequence: "x" },
    { lane: "x" },
    { n: 2 },
    { after: "x" },
    { prev: "x" },
    { group: "x" },
    { body: "x" },
    () => "",
    (signature) => signature.slice(0, -2),
    (signature) => `${signature}=`,
    (signature) => `${signature}AA`,
    () => made().seal.signature,
  ])("is not signed with %s in it", (given) => {
    const { key, record } = made();
    const changes = typeof given === "function" ? { signature: given(record.signature) } : given;
    expect(isSigned(record, key)).toBe(true);
    expect(isSigned({ ...record, ...changes }, key)).toBe(false);
    expect(recordHash({ ...record, ...changes })).not.toBe(recordHash(record));
  });

  test("is signed by nobody else's key", () => {
    expect(isSigned(made().record, recordKey("another"))).toBe(false);
  });
});

describe("a seal", () => {
  test("is signed over its text, as a seal, and its digest takes in the signature", () => {
    const { key, record, seal } = made();
    const text = Buffer.from(JSON.stringify(["seal 1", seal.body]));
    expect(verify(null, text, key, Buffer.from(seal.signature, "base64url"))).toBe(true);
    expect(sealDigest(seal)).toBe(createHash("sha256").update(text).update(`\n${seal.signature}`).digest("hex"));
    expect(isSealSigned(seal, key)).toBe(true);
    expect(isSealSigned({ ...seal, body: `${seal.body} ` }, key)).toBe(false);
    expect(isSealSigned({ ...seal, signature: record.signature }, key)).toBe(false);
  });

  test("is read back", () => {
    const { record, seal } = made();
    expect(readSealBody(seal.body)).toEqual({ ...body, records: [[record.sequence, recordHash(record)]] });
    expect(readSealBody(JSON.stringify({ ...body, records: [] }))).toEqual({ ...body, records: [] });
    expect(readSealBody(JSON.stringify({ ...body, at: LAST }))).toEqual({ ...body, at: LAST });
  });

  test.each<Record<string, unknown>>([
    { number: 1.5 },
    { number: "1" },
    { at: 1.5 },
    { at: null },
    { at: -1 },
    { at: LAST + 1 },
    { previous: 1 },
    { from: null },
    { to: 1 },
    { records: {} },
    { records: "" },
    { records: ["ab"] },
    { records: [["a"]] },
    { records: [["a", "b", "c"]] },
    { records: [["a", 1]] },
    {
      records: [
        ["a", "b"],
        [1, "b"],
      ],
    },
    { records: [{ length: 2 }] },
  ])("is none with %j in it", (changes) => {
    expect(readSealBody(JSON.stringify({ ...body, ...changes }))).toBeNull();
  });

  test.each(["", "null", "1", "{", "[]"])("is none: %s", (text) => {
    expect(readSealBody(text)).toBeNull();
  });
});
