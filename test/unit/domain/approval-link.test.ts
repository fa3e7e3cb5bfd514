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
  type Read = ReturnType<typeof read>;
  it.each<[string, (link: Read) => Partial<Read>]>([
    ["for another lease", () => ({ leaseId: "ls-0123456789abcdefgh0" })],
    ["for another person", () => ({ person: "bob" })],
    ["past its end", ({ expiresAt }) => ({ expiresAt: expiresAt + 1 })],
    ["with a shorter signature", ({ signature }) => ({ signature: signature.slice(1) })],
    ["without one", () => ({ signature: "" })],
    ["with another of the same length", ({ signature }) => ({ signature: "A".repeat(signature.length) })],
  ])("%s", (_, changes) => {
    const link = read(formatLink(LINK, TERMS));
    expect(isGenuineLink({ ...link, ...changes(link) }, TERMS)).toBe(false);
  });

  it("for another change, or by another installation", () => {
    const link = read(formatLink(LINK, TERMS));
    expect(isGenuineLink(link, { ...TERMS, change: "d".repeat(64) })).toBe(false);
    expect(isGenuineLink(link, { ...TERMS, secret: "another" })).toBe(false);
  });
});

describe("no link", () => {
  it.each<[string, (parts: readonly string[]) => string]>([
    ["is nothing", () => ""],
    ["has something before it", (parts) => `x${parts.join(".")}`],
    ["has something after it", (parts) => `${parts.join(".")}x`],
    ["ends a line", (parts) => `${parts.join(".")}\n`],
    ["has another part", (parts) => [...parts, "x"].join(".")],
    ["lacks its signature", (parts) => parts.slice(0, 3).join(".")],
    ["has a shorter lease", ([lease = "", ...rest]) => [lease.slice(0, -1), ...rest].join(".")],
    ["has a longer lease", ([lease = "", ...rest]) => [`${lease}0`, ...rest].join(".")],
    ["has a lease in capitals", ([lease = "", ...rest]) => [lease.toUpperCase(), ...rest].join(".")],
    ["has no end", ([lease, , ...rest]) => [lease, "", ...rest].join(".")],
    ["has an end beyond all time", ([lease, , ...rest]) => [lease, "0".repeat(13), ...rest].join(".")],
    ["has an end that is no number", ([lease, , ...rest]) => [lease, "A-", ...rest].join(".")],
    ["is for nobody", ([lease, end, , signature]) => [lease, end, "", signature].join(".")],
    ["is for a name too long", ([lease, end, , signature]) => [lease, end, "A".repeat(701), signature].join(".")],
    ["is for a name in other letters", ([lease, end, , signature]) => [lease, end, "A+/=", signature].join(".")],
    ["has a shorter signature", (parts) => parts.join(".").slice(0, -1)],
    ["has a signature in other letters", (parts) => `${parts.join(".").slice(0, -1)}=`],
  ])("%s", (_, change) => {
    expect(parseLink(change(formatLink(LINK, TERMS).split(".")))).toBeNull();
  });

  it("has to be short: the longest parts are read", () => {
    const [lease = "", , , signature = ""] = formatLink(LINK, TERMS).split(".");
    expect(parseLink([lease, "0".repeat(12), "A".repeat(700), signature].join("."))).not.toBeNull();
    expect(parseLink([lease, "0", "AA", signature].join("."))?.expiresAt).toBe(0);
  });
});
