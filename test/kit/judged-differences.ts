// Differences of a group's rules as drift is judged by: one that was added, one that is gone, and one that was edited.
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { JudgedDifference } from "../../shared/plan/judge-drift.ts";
import { HOUR, NOW, ruleId } from "./plan-pictures.ts";
import { aRule, aSpec, somePorts } from "./rules.ts";

/** Every port. */
export const WIDE: RuleSpec = aSpec({ ports: somePorts("1/65535") });

export const added = (rule = aRule()): JudgedDifference => ({
  kind: "added",
  key: ruleKey(rule),
  ruleId: rule.id,
  earlierIds: [],
  rule,
  since: null,
});
export const removed = (spec = aSpec()): JudgedDifference => ({
  kind: "removed",
  key: ruleKey(spec),
  ruleId: ruleId("1"),
  earlierIds: [],
  rule: null,
  since: NOW - HOUR,
});
/** A granted tcp 22 that has become every port. */
export const edited: JudgedDifference = {
  kind: "edited",
  key: ruleKey(aSpec()),
  ruleId: ruleId("1"),
  earlierIds: [],
  rule: aRule({ ...WIDE }),
  since: NOW - HOUR,
};
