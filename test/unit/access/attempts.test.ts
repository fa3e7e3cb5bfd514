import { describe, expect, test } from "vitest";
import { Attempts } from "../../../shared/access/attempts.ts";

const limits = { failuresMax: 3, requestsPerMinute: 60 };

function attempts() {
  let now = 1000;
  const it = new Attempts({ now: () => now });
  return {
    it,
    pass: (ms: number) => {
      now += ms;
    },
    fail: (times: number, ...keys: string[]) => {
      for (let n = 0; n < times; n++) it.failed(keys, limits);
    },
  };
}
const locked =
  (it: Attempts, ...keys: string[]) =>
  () =>
    it.requireUnlocked(keys);

describe("a lock-out", () => {
  test("begins with the last failure that is allowed, and ends by itself", () => {
    const { it, fail, pass } = attempts();
    fail(2, "a");
    expect(locked(it, "a")).not.toThrow();
    fail(1, "a");
    expect(locked(it, "a")).toThrow(expect.objectContaining({ code: "ATTEMPTS_TOO_MANY", detail: { seconds: 60 } }));
    expect(locked(it, "b", "a")).toThrow();
    expect(locked(it, "b")).not.toThrow();
    pass(60_000);
    expect(locked(it, "a")).not.toThrow();
  });

  test("is twice as long each time, up to a quarter of an hour", () => {
    const { it, fail, pass } = attempts();
    for (const seconds of [60, 120, 240, 480, 900, 900]) {
      fail(3, "a");
      expect(locked(it, "a")).toThrow(expect.objectContaining({ detail: { seconds } }));
      pass(seconds * 1000);
    }
  });

  test("does not come of failures that lie apart", () => {
    const { it, fail, pass } = attempts();
    for (let n = 0; n < 5; n++) {
      fail(2, "a");
      pass(5 * 60_000 + 1);
    }
    expect(locked(it, "a")).not.toThrow();
  });

  test("remembers no more than it has room for", () => {
    const { it, fail } = attempts();
    fail(3, "first");
    for (let n = 0; n < 5000; n++) fail(1, `other ${n}`);
    expect(locked(it, "first")).not.toThrow();
  });
});

describe("a share of requests", () => {
  test("is used up and comes back with time", () => {
    const { it, pass } = attempts();
    for (let n = 0; n < 60; n++) it.counted(["a"], limits);
    expect(() => it.counted(["a"], limits)).toThrow(
      expect.objectContaining({ code: "REQUESTS_TOO_MANY", detail: { seconds: 1 } }),
    );
    expect(() => it.counted(["b"], limits)).not.toThrow();
    pass(1000);
    expect(() => it.counted(["a"], limits)).not.toThrow();
    expect(() => it.counted(["a"], limits)).toThrow();
  });
});
