// Features that need no more than to be there: new versions that come while old ones are still at work, and people who are told.
import type { Feature, Move } from "./feature.ts";

const deploying: Move = (world) => Promise.resolve(world.platform.deploy());

export const deploys: Feature = { chance: 0.3, policy: {}, moves: [[1, deploying]] };

const webhook = (name: string) => ({ kind: "webhook", url: `https://${name}.example.com/`, secretFrom: "ROBOT" });

/** Messages that fail keep the program from nothing, and in the end everybody has been told, or it was given up. */
export const notices: Feature = {
  chance: 0.3,
  policy: {
    notifications: {
      targets: { ops: webhook("ops"), boss: webhook("boss") },
      roles: { approver: ["boss"], operator: ["ops"], admin: ["boss"] },
      otherwise: ["ops"],
    },
  },
  moves: [],
};
