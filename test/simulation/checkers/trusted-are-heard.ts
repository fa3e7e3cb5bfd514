// What somebody whom the policy trusts has opened stands, and what they have removed stays away, once nothing goes wrong any more.
import { wordsOf } from "../observed.ts";
import { ENFORCED } from "../sim-account.ts";
import type { Checker } from "./checker.ts";

export const trustedAreHeard: Checker = {
  name: "trusted-are-heard",
  watch: () => undefined,
  async atEnd(world) {
    const standing = new Set(world.rules(ENFORCED).map(wordsOf));
    for (const [words, is] of world.pipeline)
      if (is !== "unknown" && standing.has(words) !== (is === "stands"))
        world.violated("trusted-are-heard", `${words} ${is === "stands" ? "is not there" : "is back"}`);
  },
};
