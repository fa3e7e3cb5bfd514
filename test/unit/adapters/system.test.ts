// The machine's clock, chance and log behind their ports.
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { withDeadline } from "../../../shared/adapters/system/deadline.ts";
import { consoleLog } from "../../../shared/adapters/system/log.ts";
import { systemRandom } from "../../../shared/adapters/system/random.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the machine's clock", () => {
  it("sleeps as long as asked, also beyond the longest timer", async () => {
    vi.useFakeTimers();
    const days = 40 * 86_400_000;
    let awake = false;
    const slept = systemClock.sleep(days).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(days - 1_000);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1_001);
    await slept;
  });

  it("counts milliseconds, and uses nothing of `performance`, for which a process that starts would load eight modules", () => {
    vi.useFakeTimers();
    const used = vi.spyOn(performance, "now");
    const from = systemClock.monotonicMs();
    vi.advanceTimersByTime(61_250);
    expect(systemClock.monotonicMs() - from).toBeCloseTo(61_250, 3);
    expect(used).not.toHaveBeenCalled();
  });

  it("wakes with the reason of an abort, before and during the sleep", async () => {
    const reason = new Error("enough");
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const slept = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
  });
});

describe("the machine's chance", () => {
  it("gives as many bytes as asked, and fractions below one", () => {
    expect(systemRandom.bytes(32)).toHaveLength(32);
    expect(systemRandom.bytes(32)).not.toEqual(systemRandom.bytes(32));
    for (let n = 0; n < 100; n++) {
      const fraction = systemRandom.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }
  });
});

describe("the log", () => {
  function lines(write: (log: ReturnType<typeof consoleLog>) => void): Record<string, unknown>[] {
    const written: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    write(consoleLog({ now: () => 0, monotonicMs: () => 0, sleep: async () => undefined }));
    vi.restoreAllMocks();
    return written.map((line) => {
      expect(line).toMatch(/^\{"time".*\}\n$/);
      return JSON.parse(line);
    });
  }

  it("writes one line of JSON whose head no field can hide", () => {
    const [line] = lines((log) =>
      log.write("warn", "two\nlines", { n: 1, level: "x", big: 5n, cause: new Error("why") }),
    );
    const time = "1970-01-01T00:00:00.000Z";
    expect(line).toEqual({
      time,
      level: "warn",
      message: "two\nlines",
      n: 1,
      big: "5",
      cause: { name: "Error", message: "why" },
    });
  });

  it("names the fields of what cannot be written", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(lines((log) => log.write("info", "m", { circle }))[0]).toMatchObject({
      message: "m",
      unloggable: ["circle"],
    });
  });
});

describe("a deadline", () => {
  it("lets an earlier result through and rejects a later one", async () => {
    const late = () => new Error("late");
    await expect(withDeadline(1_000, Promise.resolve(1), late)).resolves.toBe(1);
    await expect(withDeadline(1_000, Promise.reject(new Error("own")), late)).rejects.toThrow("own");
    await expect(withDeadline(1, new Promise(() => undefined), late)).rejects.toThrow("late");
  });
});
