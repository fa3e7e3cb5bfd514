// The world of the use cases with its group guarded: somebody changes rules by hand, a person decides, and passes look.
import type { Guard } from "../../../shared/domain/guard.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Role } from "../../../shared/domain/permission.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { sensitiveOf } from "../../../shared/plan/baseline-diff.ts";
import type { App, Caller } from "../../../shared/usecases/app.ts";
import { listDrift } from "../../../shared/usecases/drift/list-drift.ts";
import { confirmBaseline, previewBaseline } from "../../../shared/usecases/ledger/confirm-baseline.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { type AppWorld, appWorld, GROUP } from "./app-world.ts";

export const specOf = (port: number, source = "203.0.113.7/32"): RuleSpec =>
  aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source) });

export const ruleOf = (port: number, source?: string, changes: Partial<Rule> = {}): Rule =>
  aRule({ ...specOf(port, source), id: `sgr-by-hand-${port}` as RuleId, description: `by hand ${port}`, ...changes });

export interface GuardedApp {
  readonly world: AppWorld;
  readonly app: App;
  caller(role: Role): Caller;
  /** Ports of the rules that stand, ascending. */
  ports(): readonly number[];
  /** A pass that compares the group with its ledger. */
  look(): Promise<void>;
  /** What is shown of drift. */
  drift(): ReturnType<typeof listDrift>;
  /** A person confirms what stands. */
  confirm(): Promise<void>;
}

/** The group `web`, guarded by policy, with these rules; nothing is confirmed yet. */
export async function guardedApp(
  guard: Guard,
  rules: readonly Rule[],
  tags: Readonly<Record<string, string>> = {},
): Promise<GuardedApp> {
  const world = await appWorld();
  world.rules = [...rules];
  const guards = guard === "none" ? {} : { web: guard };
  const policy = { ...world.policy, groups: { ...world.policy.groups, guards } };
  const { inventory } = world.app;
  const tagged: App["inventory"] = {
    ...inventory,
    listGroups: async (...asked) => (await inventory.listGroups(...asked)).map((it) => ({ ...it, tags })),
    group: async (...asked) => {
      const facts = await inventory.group(...asked);
      return facts && { ...facts, tags };
    },
  };
  const app: App = { ...world.app, inventory: tagged };
  const guarded: GuardedApp = {
    world,
    app,
    caller: (role) => ({ ...world.caller(role, role), policy }),
    ports: () => world.rules.map((rule) => Number(/\|(\d+)\//.exec(ruleKey(rule))?.[1])).sort((a, b) => a - b),
    look: async () => {
      const deadlineAt = app.clock.monotonicMs() + 60_000;
      const terms = {
        cause: "test",
        actor: "test",
        policy,
        deadlineAt,
        priority: "drift",
        rows: [],
        drift: true,
      } as const;
      await lookAtGroup(app, GROUP, terms);
    },
    drift: () => listDrift(app, guarded.caller("admin"), { limit: 100, cursor: null }),
    confirm: async () => {
      const admin = guarded.caller("admin");
      const from = { from: "rules", template: "" } as const;
      const { diff } = await previewBaseline(app, admin, "web", from);
      const sensitive = sensitiveOf(diff).map(({ key }) => key);
      const word = { ...from, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
      await confirmBaseline(app, admin, "web", word, { dryRun: false });
    },
  };
  return guarded;
}
