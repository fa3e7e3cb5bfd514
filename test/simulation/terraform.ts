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
    const { firewall } = terraform;
    // What no call was answered for may have come about or not, what the trail has while things go wrong may be lost, and what nobody knows to be
    // theirs may be on its way to being rolled back.
    const say = async (said: readonly [string, "stands" | "gone"][], call: () => Promise<unknown>): Promise<void> => {
      const isSure = world.isCalm && said.every(([what]) => world.pipeline.get(what) !== "unknown");
      for (const [what] of said) world.pipeline.set(what, "unknown");
      const isDone = await call().then(
        () => true,
        () => false,
      );
      if (isDone && isSure) for (const [what, is] of said) world.pipeline.set(what, is);
    };
    if (it === undefined || kind < 2)
      await say([[words, "stands"]], () => firewall.authorize(ENFORCED, [to], terraform.token(), "open"));
    else {
      const [ruleId, before] = [it.ruleId as RuleId, wordsOf(it)];
      await (kind === 2
        ? say(
            [
              [before, "gone"],
              [words, "stands"],
            ],
            () => firewall.modify(ENFORCED, ruleId, to, terraform.token(), "end"),
          )
        : say([[before, "gone"]], () => firewall.revoke(ENFORCED, [ruleId], terraform.token(), "end")));
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
