// Feature: wide rules that let in more than core ports and operators. A lockdown that closes accepts keeps of them what these need.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import type { Feature } from "./feature.ts";
import { ENFORCED, UNGUARDED } from "./sim-account.ts";

interface Wide {
  readonly portRange: string;
  readonly sourceCidrIp: string;
  /** What of it may stay, as ports and sources. */
  readonly pieces: readonly (readonly [string, string])[];
}

/** Of the second one a part is the rule by which operators come in, which stands by itself. */
const WIDE: Readonly<Record<string, readonly Wide[]>> = {
  [ENFORCED.groupId]: [
    { portRange: "400/2300", sourceCidrIp: "10.60.0.0/16", pieces: [["443", "10.60.0.0/16"]] },
    {
      ...{ portRange: "1/65535", sourceCidrIp: "10.200.0.0/14" },
      pieces: [
        ["80", "10.200.0.0/14"],
        ["443", "10.200.0.0/14"],
      ],
    },
  ],
  [UNGUARDED.groupId]: [{ portRange: "400/2300", sourceCidrIp: "10.60.0.0/16", pieces: [["443", "10.60.0.0/16"]] }],
};

const rulesOf = (groupId: string): readonly Partial<EcsRule>[] =>
  (WIDE[groupId] ?? []).map(({ portRange, sourceCidrIp }) => ({ portRange, sourceCidrIp, description: "wide" }));

export const wide: Feature = {
  chance: 0.3,
  policy: {},
  rules: { [ENFORCED.groupId]: rulesOf(ENFORCED.groupId), [UNGUARDED.groupId]: rulesOf(UNGUARDED.groupId) },
  begins: (world) => {
    for (const [groupId, rules] of Object.entries(WIDE))
      for (const { portRange, sourceCidrIp, pieces } of rules) {
        // Where nobody confirms what stands it is somebody else's.
        if (groupId === UNGUARDED.groupId)
          world.untouchable.get(groupId)?.add(`ingress accept tcp ${portRange} ${sourceCidrIp} -`);
        for (const [port, source] of pieces) world.lockdowns.pieces.push({ groupId, port, source });
      }
  },
  moves: [],
};
