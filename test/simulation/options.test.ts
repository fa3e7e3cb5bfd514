// What the command is asked for, what it refuses, and the command that it tells for a failure.
import { expect, test } from "vitest";
import { coverageIn } from "./coverage.ts";
import { commandOf, readOptions } from "./options.ts";
import { parsePart } from "./script.ts";

const read = (line: string) => readOptions(line === "" ? [] : line.split(" "));

test("without options seeds are run from the first on", () => {
  expect(read("")).toEqual({ kind: "many", from: 1, features: [], processes: null, hours: null, seeds: null });
  expect(read("--seeds 5 --with lists,recycling")).toMatchObject({ seeds: 5, features: ["lists", "recycling"] });
  expect(read("--hours 100000 --from 5 --processes 2")).toMatchObject({ hours: 100_000, from: 5, processes: 2 });
});

test.each([
  ["--hours abc", "--hours takes a whole number from 1 on"],
  ["--hours 0", "--hours takes a whole number from 1 on"],
  ["--seeds 1e3", "--seeds takes a whole number from 1 on"],
  ["--processes 0", "--processes takes a whole number from 1 on"],
  ["--from 1.5", "--from takes a whole number from 0 on"],
  ["--with list", "--with names what is no feature: list"],
  ["--seed 7 --with lists", "--with does not go with --seed"],
  ["--hours 5 --seeds 5", "--hours does not go with --seeds"],
  ["--seed 7 --hours 5", "--hours does not go with --seed"],
  ["--seed 7 --from 1", "--from does not go with --seed"],
  ["--trace", "--trace takes a --seed"],
  ["--part 1:*:*", "--part takes a --seed"],
  ["--seed 7 --length 0", "--length takes a whole number from 1 on"],
  ["--seed 7 --part x", "--part takes <hours>:<moves>:<faults>:<features>"],
  ["--seed 7 --part 1:2:laet,death", "--part names what is neither fault nor feature: laet"],
  ["--seed 7 --part 1:2:late:alarm", "--part names what is neither fault nor feature: alarm"],
  ["--sede 7", "Unknown option '--sede'"],
  ["7", "Unexpected argument '7'"],
])("%s is refused", (line, why) => {
  expect(() => read(line)).toThrow(why);
});

test.each([
  "--seed 7",
  "--seed 7 --length 20",
  "--seed 7 --length 2 --part 2:0,4:late,shutdown:alarms,narrow",
  "--seed 7 --part 1::",
])("the command for %s asks for the same", (line) => {
  const options = read(line);
  if (options.kind !== "one") throw new RangeError("one seed is meant");
  const command = commandOf(options.asked);
  expect(command).not.toContain("'");
  expect(read(command.replace("npm run simulate -- ", ""))).toEqual(options);
});

test("a shell takes the command as it stands", () => {
  expect(commandOf({ seed: "fixed 1" })).toBe("npm run simulate -- --seed 'fixed 1'");
  expect(commandOf({ seed: "7", part: parsePart(":*:*:*") })).toBe("npm run simulate -- --seed 7 --part ':*:*:*'");
});

test("states and moves that no seed has come to are named", () => {
  const told = coverageIn(["lease requested > approved", "lock absent > held", "item queued > noticed"]);
  expect(told).toMatch(/^states seen: 6 of \d+, never [^;]*lease open, [^;]*item quarantined, [^;]*drift adopted, /);
  expect(told).toMatch(/; moves seen: 3 of \d+, never [^;]*lease requested > denied, [^;]*lockdown lifted > lifting/);
  expect(told).not.toContain("never lease requested,");
});
