// Links by which an asked person decides: genuine for one person, one lease, one change and one end alone.
import { describe, expect, it, test } from "vitest";
import { formatLink, isGenuineLink, parseLink } from "../../../shared/domain/approval-link.ts";

const LINK = { leaseId: "ls-0123456789abcdefghi", person: "corp/王 伟", expiresAt: Date.UTC(2026, 10, 5, 8) };
const TERMS = { change: "c".repeat(64), secret: "a secret" };

function read(text: string) {
  const link = parseLink(text);
  if (link === null) throw new Error(`no link: ${text}`);
  return link;
}

test("a link says what it was made of, in letters that need no escaping", () => {
  const text = formatLink(LINK, TERMS);
  expect(read(text)).toMatchObject(LINK);
  expect(encodeURIComponent(text)).toBe(text);
  expect(text.split(".")).toHaveLength(4);
});

test("a link is genuine as it was signed", () => {
  expect(isGenuineLink(read(formatLink(LINK, TERMS)), TERMS)).toBe(true);
  // Links of earlier versions are in people's messages.
  expect(read(formatLink({ ...LINK, person: "ann" }, TERMS)).signature).toBe(
    "I7uik4zk8uqXXDr_DKLoKWnh9UPqjXXQUStSJZe-fGU",
  );
});

describe("a link is not genuine", () => {
  const link = read(formatLink(LINK, TERMS));
  it.each([
    ["for another lease", { ...link, leaseId: "ls-0123456789abcdefgh0" }],
    ["for another person", { ...link, person: "bob" }],
    ["past its end", { ...link, expiresAt: link.expiresAt + 1 }],
    ["with a shorter signature", { ...link, signature: link.signature.slice(1) }],
    ["without one", { ...link, signature: "" }],
    ["with another of the same length", { ...link, signature: "A".repeat(link.signature.length) }],
  ])("%s", (_, other) => {
    expect(isGenuineLink(other, TERMS)).toBe(false);
  });

  it("for another change, or by another installation", () => {
    expect(isGenuineLink(link, { ...TERMS, change: "d".repeat(64) })).toBe(false);
    expect(isGenuineLink(link, { ...TERMS, secret: "another" })).toBe(false);
  });
});

describe("no link is", () => {
  const text = formatLink(LINK, TERMS);
  const [lease = "", end = "", person = "", signature = ""] = text.split(".");
  it.each([
    "",
    `x${text}`,
    `${text}x`,
    `${text}\n`,
    [lease.slice(0, -1), end, person, signature].join("."),
    [`${lease}0`, end, person, signature].join("."),
    [lease.toUpperCase(), end, person, signature].join("."),
    [lease, "", person, signature].join("."),
    [lease, "0".repeat(13), person, signature].join("."),
    [lease, end, "", signature].join("."),
    [lease, end, "A".repeat(701), signature].join("."),
    [lease, end, person, signature.slice(1)].join("."),
    [lease, end, person].join("."),
  ])("%j", (other) => {
    expect(parseLink(other)).toBeNull();
  });

  it("of the longest parts is still read", () => {
    expect(parseLink([lease, "0".repeat(12), "A".repeat(700), signature].join("."))).not.toBeNull();
    expect(parseLink([lease, "0", "AA", signature].join("."))?.expiresAt).toBe(0);
  });
});
