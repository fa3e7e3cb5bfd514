// The state of the embedded ECS: what an account holds now and held a moment ago, and who is told of changes.
export type { EcsDirection, EcsEni, EcsGroup, EcsInstance, EcsPolicy, EcsRule } from "./model.ts";
