// Feature: a pipeline that the policy trusts writes rules of its own in the enforced group. What it says counts once the trail has it; where
// its event is lost, it is rolled back like anybody's.
import type { RuleId } from "../../shared/domain/ids.ts";
import { Dice } from "../kit/schedule.ts";
import type { Feature, Move } from "./feature.ts";
import { wordsFor, wordsOf } from "./observed.ts";
import { ENFORCED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { pause, ruleFor } from "./workload.ts";

/** One run: it adds, changes and removes what is its own. */
async function apply(world: SimWorld, dice: Dice, calls: number): Promise<void> {
  const terraform = world.person("terraform");
  const { groupId } = ENFORCED;
  for (let n = calls; n > 0; n--) {
    const own = world.rules(ENFORCED).filter((rule) => rule.policy !== "Drop" && world.pipeline.has(wordsOf(rule)));
    const it = own.length > 0 ? dice.pick(own) : undefined;
    const [port, source] = [3400 + dice.between(0, 40), `10.20.${dice.between(0, 20)}.0/24`];
    const to = { spec: ruleFor(port, source), description: "by terraform" };
    const words = wordsFor(port, source);
    const kind = dice.between(0, 3);
    if (it === undefined || kind < 2) {
      world.pipeline.set(words, world.isCalm ? "stands" : "unknown");
      await terraform.firewall.authorize(ENFORCED, [to], terraform.token(), "open").catch(() => undefined);
    } else {
      world.pipeline.set(wordsOf(it), world.isCalm ? "gone" : "unknown");
      if (kind === 2) {
        world.pipeline.set(words, world.isCalm ? "stands" : "unknown");
        await terraform.firewall
          .modify(ENFORCED, it.ruleId as RuleId, to, terraform.token(), "end")
          .catch(() => undefined);
      } else
        await terraform.firewall
          .revoke(ENFORCED, [it.ruleId as RuleId], terraform.token(), "end")
          .catch(() => undefined);
    }
    await pause(world, dice, 60_000);
  }
  world.tell(`terraform is through with ${groupId}`);
}

const run: Move = (world, dice) => apply(world, dice, dice.between(1, 4));

export const terraform: Feature = {
  chance: 0.3,
  policy: {},
  moves: [[1, run]],
  ends: (world) => void apply(world, new Dice(`last run of terraform in ${world.seed}`), 5),
};
