// What is said of an audit trail, word for word. That any change is found is in `test/property/record-chain.test.ts`.
import { describe, expect, test } from "vitest";
import {
  type ChainedRecord,
  LATE_MS,
  RECORDS_FLOOR_DAYS,
  recordHash,
  recordKey,
  type Seal,
  type SealBody,
  sealDigest,
  signRecord,
  signSeal,
  stampAt,
} from "../../../shared/domain/record-chain.ts";
import { type TrailTerms, TrailVerifier } from "../../../shared/plan/verify-records.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 5);
const key = recordKey("0123456789abcdef");
type Line = ChainedRecord | { readonly number: number; readonly seal: Seal };

const place = (at: number, chance = "aaaaaaaaaa") => `${stampAt(at)}-${chance}`;
const sign = (record: Omit<ChainedRecord, "signature" | "group" | "body">, body = "{}"): ChainedRecord =>
  signRecord({ ...record, group: "", body }, key);

/** A lane with a record at each of the instants. */
function lane(times: readonly number[], chance = "aaaaaaaaaa"): readonly ChainedRecord[] {
  const records: ChainedRecord[] = [];
  for (const at of times) {
    const last = records.at(-1);
    records.push(
      sign({
        sequence: place(at, chance),
        lane: place(times[0] ?? 0, chance),
        n: records.length + 1,
        after: last?.sequence ?? "",
        prev: last ? recordHash(last) : "",
      }),
    );
  }
  return records;
}

/** A seal at an instant over some records, after another one. */
function sealed(
  at: number,
  records: readonly ChainedRecord[],
  before: Line | null = null,
  changes: Partial<SealBody> = {},
) {
  const previous = before !== null && "seal" in before ? before : null;
  const body: SealBody = {
    number: (previous?.number ?? 0) + 1,
    at,
    previous: previous ? sealDigest(previous.seal) : "",
    from: previous ? (JSON.parse(previous.seal.body) as SealBody).to : "",
    to: stampAt(at),
    records: records.map((record) => [record.sequence, recordHash(record)]),
    ...changes,
  };
  return { number: body.number, seal: signSeal(body, key) };
}

const verdict = (lines: readonly Line[], terms: Partial<TrailTerms> = {}) => {
  const verifier = new TrailVerifier({ key, now: NOW, ...terms });
  for (const line of lines) {
    if ("seal" in line) verifier.seal(line.number, line.seal);
    else verifier.record(line);
  }
  return verifier.end();
};
const found = (lines: readonly Line[], terms: Partial<TrailTerms> = {}) =>
  verdict(lines, terms).findings.map(({ kind, of, why }) => `${kind} ${of}: ${why}`);

/** Three records an hour apart, the last hour of them now. */
const HOUR = 3_600_000;
const [a, b, c] = lane([NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR]) as [ChainedRecord, ChainedRecord, ChainedRecord];
const first = sealed(NOW - 2 * HOUR + 1, [a, b]);
const second = sealed(NOW, [c], first);
const whole = [a, b, first, c, second];

describe("a whole trail", () => {
  test("is counted, with its beginning and its head", () => {
    expect(verdict(whole)).toEqual({
      ...{ findings: [], records: 3, seals: 2, lapsed: 0, unsealed: 0, begins: NOW - 3 * HOUR },
      head: { number: 2, digest: sealDigest(second.seal), at: NOW },
    });
  });

  test("may be empty, or not sealed yet", () => {
    expect(verdict([])).toEqual({
      findings: [],
      records: 0,
      seals: 0,
      lapsed: 0,
      unsealed: 0,
      begins: null,
      head: null,
    });
    expect(verdict([a, b])).toMatchObject({ findings: [], unsealed: 2, begins: NOW - 3 * HOUR, head: null });
    expect(verdict([sealed(NOW, [])])).toMatchObject({ findings: [], begins: NOW });
  });

  test("may have lanes side by side", () => {
    const other = lane([NOW - 2 * HOUR - 1, NOW - HOUR - 1], "bbbbbbbbbb");
    expect(found([a, ...other.slice(0, 1), b, ...other.slice(1), c])).toEqual([]);
  });

  test("is taken without a key for what it says", () => {
    const forged = { ...c, signature: "x" };
    expect(found([a, b, first, forged], { key: null })).toEqual([]);
  });
});

describe("a record that was changed", () => {
  test("is not as it was signed, and said once", () => {
    expect(found([{ ...a, body: "forged" }, b, first, c, second])).toEqual([
      `changed record ${a.sequence}: it is not as it was signed`,
    ]);
  });

  test("by whoever has the key is not what others say it was", () => {
    const forged = sign({ ...a }, "forged");
    expect(found([forged, b])).toEqual([`changed record ${a.sequence}: it is not what ${b.sequence} follows`]);
    expect(found([forged, first])).toContain(`changed record ${a.sequence}: it is not what seal 1 names`);
  });

  test("has no place", () => {
    const odd = sign({ sequence: "odd", lane: "odd", n: 1, after: "", prev: "" });
    expect(found([odd])).toEqual(["changed record odd: its sequence is none"]);
    expect([verdict([odd]).begins, verdict([odd, a]).begins]).toEqual([null, NOW - 3 * HOUR]);
  });

  test.each<[string, Partial<ChainedRecord>]>([
    ["another place in its lane", { n: 0 }],
    ["something before it", { after: place(1) }],
    ["a hash of nothing", { prev: "ab" }],
    ["another lane", { lane: place(2) }],
    ["a later place, after nothing", { n: 2 }],
  ])("to begin with %s begins nothing", (_what, changes) => {
    const [only] = lane([NOW]) as [ChainedRecord];
    expect(found([sign({ ...only, ...changes })])).toEqual([
      `changed record ${only.sequence}: it begins no lane and follows no record`,
    ]);
  });

  test("to follow what was looked at before, and to be the first of its lane, begins nothing", () => {
    const since = { number: 1, digest: sealDigest(first.seal), to: b.sequence };
    const odd = sign({ ...c, n: 1, after: b.sequence });
    expect(found([odd], { since })).toEqual([`changed record ${c.sequence}: it begins no lane and follows no record`]);
  });

  test("to begin a lane that an earlier one is in, or to have another number than it follows, is moved", () => {
    const early = sign({ ...a, lane: c.sequence, n: 2, after: place(1) });
    const [own] = lane([NOW - HOUR]) as [ChainedRecord];
    expect(found([early, own])).toEqual([
      `moved record ${own.sequence}: ${early.sequence} comes before it in the lane, and it follows nothing`,
    ]);
    expect(found([a, sign({ ...b, n: 1 })])).toEqual([
      `moved record ${b.sequence}: ${a.sequence} comes before it in the lane, and it follows ${a.sequence}`,
    ]);
  });

  test("to begin its lane once more is moved", () => {
    const again = sign({ ...b, n: 1, after: "", prev: "" });
    expect(found([a, again])).toEqual([
      `moved record ${b.sequence}: ${a.sequence} comes before it in the lane, and it follows nothing`,
    ]);
    const astray = sign({ ...b, n: 2, after: place(5) });
    expect(found([a, astray])).toEqual([
      `moved record ${b.sequence}: ${a.sequence} comes before it in the lane, and it follows ${place(5)}`,
    ]);
  });
});

describe("a record that is missing", () => {
  test("is named by the next of its lane, and how many more", () => {
    expect(found([b])).toEqual([`missing record ${a.sequence}: ${b.sequence}, the next of its lane, follows it`]);
    expect(found([a, c])).toEqual([`missing record ${b.sequence}: ${c.sequence}, the next of its lane, follows it`]);
    const [one, , , four] = lane([1, 2, 3, 4].map((n) => NOW - HOUR + n)) as [ChainedRecord, 0, 0, ChainedRecord];
    expect(found([one, four])).toEqual([
      `missing record ${four.after}: ${four.sequence}, the next of its lane, follows it; 1 before it in the lane, too`,
    ]);
  });

  test("is named by a seal", () => {
    expect(found([a, first])).toEqual([`missing record ${b.sequence}: seal 1 names it`]);
  });

  test("may have lapsed where it is older than records are kept", () => {
    const floor = NOW - RECORDS_FLOOR_DAYS * DAY;
    const old = (at: number) => {
      const [one, two] = lane([at, NOW - HOUR]) as [ChainedRecord, ChainedRecord];
      return verdict([two, sealed(NOW, [one, two])]);
    };
    expect(old(floor - 1)).toMatchObject({ findings: [], lapsed: 2 });
    expect(old(floor).findings).toHaveLength(1);
    expect(old(floor).lapsed).toBe(0);
  });
});

describe("a record that is not where it belongs", () => {
  test("comes after a later one, or after itself", () => {
    const other = lane([NOW - 4 * HOUR], "bbbbbbbbbb");
    expect(found([a, ...other])).toEqual([`moved record ${other[0]?.sequence}: it comes after ${a.sequence}`]);
    expect(found([a, a])[0]).toBe(`moved record ${a.sequence}: it comes after ${a.sequence}`);
  });

  test("may have come late, and is in a later seal", () => {
    const late = sealed(NOW - 2 * HOUR + 1, [a]);
    expect(found([a, b, late, c, sealed(NOW, [b, c], late)])).toEqual([]);
    const since = { number: 1, digest: sealDigest(late.seal), to: (JSON.parse(late.seal.body) as SealBody).to };
    expect(found([c, sealed(NOW, [c], late)], { since })).toEqual([]);
  });

  test("may be in a later seal, where the clock was ahead when one was made, and counts as added until then", () => {
    const ahead = sealed(NOW - 2 * HOUR, [a], null, { to: stampAt(NOW + LATE_MS) });
    const added = `added record ${b.sequence}: seal 1 and those before it do not know it`;
    expect(found([a, b, ahead])).toEqual([added]);
    expect(found([a, b, ahead, sealed(NOW, [], ahead)])).toEqual([added]);
    expect(found([a, b, ahead, sealed(NOW, [b], ahead)])).toEqual([]);
    expect(found([a, b, ahead, sealed(NOW, [sign(b, "forged")], ahead)])).toEqual([
      `changed record ${b.sequence}: it is not what seal 2 names`,
    ]);
  });

  test("was added at the very place to which a seal has looked back", () => {
    const sequence = stampAt(NOW - LATE_MS);
    const bare = sign({ sequence, lane: sequence, n: 1, after: "", prev: "" });
    expect(found([bare, sealed(NOW, [])])).toEqual([
      `added record ${sequence}: seal 1 and those before it do not know it`,
    ]);
  });

  test("was added, where no seal knows it that would have looked so far", () => {
    const added = lane([NOW - LATE_MS], "bbbbbbbbbb");
    expect(found([...added, sealed(NOW + 1, [])])).toEqual([
      `added record ${added[0]?.sequence}: seal 1 and those before it do not know it`,
    ]);
    expect(found([...added, sealed(NOW - 1, [])])).toEqual([]);
    expect(verdict([...added, sealed(NOW - 1, [])]).unsealed).toBe(1);
    expect(verdict([...added, sealed(NOW + 1, [])]).unsealed).toBe(0);
  });
});

describe("a seal", () => {
  const third = sealed(NOW, [], second);
  test("that was changed is not as it was signed, or says nothing", () => {
    const forged = { ...first, seal: { ...first.seal, body: first.seal.body.replace('"number":1', '"number": 1') } };
    expect(found([a, b, forged])).toEqual(["changed seal 1: it is not as it was signed"]);
    const nothing = { number: 1, seal: { body: "{}", signature: "" } };
    expect(found([a, nothing], { key: null })).toEqual(["changed seal 1: it does not say what a seal says"]);
    expect(verdict([a, nothing], { key: null })).toMatchObject({ seals: 1, head: null, unsealed: 1 });
    const next = { ...nothing, number: 2 };
    const said = "changed seal 2: it does not say what a seal says";
    expect(found([next], { key: null })).toEqual([said, "missing seal 1: seal 2 follows them"]);
    expect(found([a, b, first, next], { key: null })).toEqual([said]);
    const other = { number: 1, seal: second.seal };
    expect(found([other], { key: null })[0]).toBe("changed seal 1: it does not say what a seal says");
  });

  test("is held against heads that were seen earlier", () => {
    const digest = sealDigest(first.seal);
    expect(found(whole, { heads: new Map([[1, digest]]) })).toEqual([]);
    expect(found(whole, { heads: new Map([[1, "ab"]]) })).toEqual(["changed seal 1: its digest was ab"]);
    expect(
      found(whole, {
        heads: new Map([
          [2, sealDigest(second.seal)],
          [3, "cd"],
        ]),
      }),
    ).toEqual(["missing seal 3: it was there as cd"]);
    expect(found([], { heads: new Map([[1, digest]]) })).toEqual([`missing seal 1: it was there as ${digest}`]);
  });

  test("by whoever has the key is not what the next one follows", () => {
    const forged = sealed(NOW - HOUR, [], null, { to: (JSON.parse(first.seal.body) as SealBody).to });
    expect(found([forged, second])).toContain("changed seal 1: it is not what seal 2 follows");
  });

  test("that is missing is named by the next, and several by their numbers", () => {
    expect(found([second])).toEqual([
      `missing seal 1: seal 2 follows them`,
      `missing record ${c.sequence}: seal 2 names it`,
    ]);
    expect(found([a, b, first, c, third])).toContain("missing seal 2: seal 3 follows");
    const later = sealed(NOW, [], second, { number: 5 });
    expect(found([a, b, first, c, second, later])).toEqual(["missing seal 3 to 4: seal 5 follows"]);
    expect(found([a, b, c, later])).toContain("missing seal 1 to 4: seal 5 follows them");
  });

  test("may have lapsed with all that it names, and not before", () => {
    const from = (at: number) => found([sealed(NOW, [], second, { from: stampAt(at), number: 2 })]);
    expect(from(NOW - RECORDS_FLOOR_DAYS * DAY - 1)).toEqual([]);
    expect(from(NOW - RECORDS_FLOOR_DAYS * DAY)).toEqual(["missing seal 1: seal 2 follows them"]);
  });

  test("that comes again is moved", () => {
    expect(found([a, b, first, first])[0]).toBe("moved seal 1: it comes after seal 1");
    expect(found([...whole, first])).toContain("moved seal 1: it comes after seal 2");
  });

  test("after one that is gone says nothing of what that one has summed up", () => {
    // The second of three is gone with what it alone knew of.
    const last = sealed(NOW, [], second);
    expect(found([a, b, first, c, last])).toEqual(["missing seal 2: seal 3 follows"]);
    expect(verdict([a, b, first, c, last]).unsealed).toBe(0);
  });
});

describe("a trail that nobody seals any more", () => {
  const STOPPED = DAY + 2 * HOUR;
  test("is told, by its last seal or its oldest record, once a day and two hours are over", () => {
    const from = "nothing has been sealed since 2026-11-05T00:00:00Z";
    expect(found(whole, { now: NOW + STOPPED })).toEqual([]);
    expect(found(whole, { now: NOW + STOPPED + 1 })).toEqual([`stopped trail: ${from}`]);
    const [only, next] = lane([NOW, NOW + HOUR]) as [ChainedRecord, ChainedRecord];
    expect(found([only, next], { now: NOW + STOPPED })).toEqual([]);
    expect(found([only, next], { now: NOW + STOPPED + 1 })).toEqual([`stopped trail: ${from}`]);
    expect(found([], { now: NOW + STOPPED + 1 })).toEqual([]);
  });
});

describe("what goes on where it was looked at before", () => {
  const since = { number: 1, digest: sealDigest(first.seal), to: (JSON.parse(first.seal.body) as SealBody).to };

  test("is whole by itself", () => {
    expect(found([c, second], { since })).toEqual([]);
    expect(found([c, sealed(NOW, [b, c], first)], { since })).toEqual([]);
  });

  test("has to follow what was seen", () => {
    expect(found([c, second], { since: { ...since, digest: "ab" } })).toEqual([
      "changed seal 1: it is not what seal 2 follows",
    ]);
    const [, , late] = lane([NOW - 3 * HOUR, NOW - HOUR, NOW]) as [0, ChainedRecord, ChainedRecord];
    expect(found([late], { since })).toEqual([
      `missing record ${late.after}: ${late.sequence}, the next of its lane, follows it`,
    ]);
    expect(found([c], { since: { ...since, to: b.sequence } })).toEqual([]);
  });
});
