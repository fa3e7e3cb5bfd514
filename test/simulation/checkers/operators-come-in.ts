// No call of the program cuts off an operator who came in before it.
import { isIn, policiesOf } from "../data-plane.ts";
import type { Checker } from "./checker.ts";

export const operatorsComeIn: Checker = {
  name: "operators-come-in",
  watch(world) {
    const paths = world.policy.operatorPath;
    if (paths.length === 0) return;
    const reached = new Map<string, boolean>();
    const look = (): readonly (readonly [string, boolean])[] => {
      const policies = policiesOf(world);
      const ways = paths.flatMap(({ port, sources }) =>
        sources.map((block) => [block.split("/")[0] ?? "", port] as const),
      );
      return world.ecs
        .enis()
        .flatMap(({ privateIp: host }) =>
          ways.map(
            ([source, port]) => [`${source} > ${host}:${port}`, isIn(policies, source, host, Number(port))] as const,
          ),
        );
    };
    world.watchers.made.push(({ who, operation }) => {
      for (const [path, isOpen] of look()) {
        if (who === "safeport" && reached.get(path) === true && !isOpen)
          world.violated("operators-come-in", `${operation} cuts off ${path}`);
        reached.set(path, isOpen);
      }
    });
  },
};
