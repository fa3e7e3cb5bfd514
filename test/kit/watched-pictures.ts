// Pictures that are watched, and what is planned of them: rules nobody granted, granted ones, and who wrote what.
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import type { Sighting } from "../../shared/domain/sighting.ts";
import type { PlannedCall } from "../../shared/plan/entry-plan.ts";
import type { Picture, Watch } from "../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../shared/plan/plan-group.ts";
import { anAllocated, aSighting, aWatch } from "./drift-pictures.ts";
import { aPicture, HOUR, NOW, preExisting, ruleId } from "./plan-pictures.ts";
import { aRule, aSpec, somePorts } from "./rules.ts";

const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
/** The calls of a plan, each in short. */
export const callsOf = (plan: Plan): string[] => plan.calls.map(short);
/** A rule of one port. */
export const onPort = (port: number): RuleSpec => aSpec({ ports: somePorts(`${port}/${port}`) });
/** A rule nobody granted, created a minute ago unless said otherwise. */
export const extra = (name: string, port: number, changes: Partial<Rule> = {}): Rule =>
  aRule({ ...onPort(port), id: ruleId(name), createdAt: NOW - 60_000, ...changes });
/** A granted rule on a port, with the entry that allocates it. */
export const granted = (name: string, port: number): { readonly entry: Entry; readonly rule: Rule } => ({
  entry: anAllocated({ spec: onPort(port), standing: preExisting(name) }),
  rule: extra(name, port, { createdAt: NOW - 24 * HOUR }),
});
/** Bob authorized these rules. */
export const bobs = (...rules: Rule[]): Sighting => aSighting({ specs: rules });
/** The plan of a picture that is watched so. */
export const watched = (watch: Partial<Watch>, picture: Partial<Picture>): Plan =>
  planGroup(aPicture({ watch: aWatch(watch), ...picture }));
