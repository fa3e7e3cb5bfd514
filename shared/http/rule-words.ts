// A rule in the words of the API.
import type * as z from "zod/mini";
import { formatCidr } from "../domain/cidr.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { portsText, protocolText, sourceText } from "../domain/rule-text.ts";
import type { ruleView } from "./answers-ledger.ts";

/** The fields of a rule. */
export function viewRule(spec: RuleSpec): z.output<ReturnType<typeof ruleView>> {
  return {
    direction: spec.direction,
    protocol: protocolText(spec),
    ports: portsText(spec.ports),
    peer: sourceText(spec.peer),
    policy: spec.policy,
    priority: spec.priority,
    sourcePorts: portsText(spec.sourcePorts),
    destination: spec.dest && formatCidr(spec.dest),
  };
}
