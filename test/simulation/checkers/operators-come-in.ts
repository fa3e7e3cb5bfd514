// No call of the program cuts off an operator who came in before it, nor whom a wide rule lets in to a core port.
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import { isIn, policiesOf } from "../data-plane.ts";
import { LISTS_WITHIN_MS, READ_TO_CALL_MS } from "../known-lockdowns.ts";
import { type ObservedCall, wordsOf } from "../observed.ts";
import type { Checker } from "./checker.ts";

export const operatorsComeIn: Checker = {
  name: "operators-come-in",
  watch(world) {
    const paths = world.policy.operatorPath;
    const { pieces } = world.lockdowns;
    if (paths.length === 0) return;
    const reached = new Map<string, boolean>();
    const look = (): readonly (readonly [string, boolean])[] => {
      const policies = policiesOf(world);
      const ways = paths.flatMap(({ port, sources }) => sources.map((source) => ({ source, port, groupId: null })));
      return world.ecs.enis().flatMap(({ privateIp: host, groupIds }) =>
        [...ways, ...pieces]
          .filter(({ groupId }) => groupId === null || groupIds.includes(groupId))
          .map(({ source: block, port }) => {
            const [source = ""] = block.split("/");
            return [`${source} > ${host}:${port}`, isIn(policies, source, host, Number(port))] as const;
          }),
      );
    };
    // A list that a stranger has filled refuses people wherever a drop on it stands, until its event comes, or all lists are looked at. Nobody
    // knows of that where one more drop on it begins to stand meanwhile.
    const isStrangers = ({ before, after }: ObservedCall): boolean => {
      const known = new Set(before.map(({ ruleId }) => ruleId));
      const isFresh = ({ ruleId, policy, sourcePrefixListId }: EcsRule): boolean =>
        policy === "Drop" && sourcePrefixListId !== "" && !known.has(ruleId);
      return world.now() <= world.meddledAt + LISTS_WITHIN_MS && after.some(isFresh);
    };
    // Another way that was there when the group was read may have gone since.
    let undoneAt = 0;
    world.watchers.made.push((call) => {
      const { who, operation } = call;
      if (who !== "safeport" && hasTaken(call)) undoneAt = world.now();
      const isJustUndone = world.now() < undoneAt + READ_TO_CALL_MS;
      for (const [path, isOpen] of look()) {
        if (who === "safeport" && reached.get(path) === true && !isOpen && !isStrangers(call) && !isJustUndone)
          world.violated("operators-come-in", `${operation} cuts off ${path}`);
        reached.set(path, isOpen);
      }
    });
  },
};

function hasTaken({ before, after }: ObservedCall): boolean {
  const left = new Set(after.map(wordsOf));
  return before.some((rule) => !left.has(wordsOf(rule)));
}
