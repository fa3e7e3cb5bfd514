// The mutants of what shared/plan makes of drift that live and are right to live.
import { type Explained, on } from "./explained.ts";

const NO_SUCH_RULE = "The set is asked for ids of rules alone, and no rule has that one.";
const NO_OWNER = "Other peers have no owner, and no account is none; the compiler wants the question asked.";
const NO_DIRECTION = "Traffic has neither direction nor policy.";

export const EXPLAINED_IN_DRIFT: readonly Explained[] = [
  ...on(
    "shared/plan/drift-guardrails.ts",
    "const granted = doubtful.flatMap(({ item }) => (item.wanted ? [item.wanted.spec] : []));",
    "A text grants nothing.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    '({ item, isNew }) => isNew && item.found?.spec.policy === "accept" && !standsInFor(item.found.spec, granted),',
    "What is new was found, which the compiler does not see.",
    [["item.found?.spec", "item.found.spec"]],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "tried.length === 0 ? [] : withoutCutting([...going, ...tried], left([...cutting, ...next], tried), isCut);",
    "It saves looking a second time where nothing has changed.",
    [["tried.length === 0", "false"]],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "const concerned = new Set(cases.flatMap((it) => waysOf.get(it) ?? []));",
    "All cases have their ways, which the compiler does not see.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "const { spec, otherRules } = ways[way] ?? { spec: null, otherRules: [] };",
    "All ways that are asked for are there, which the compiler does not see.",
    [
      ["{ spec: null, otherRules: [] }", "{}"],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "return spec !== null && isCut(spec, [...before, ...otherRules], [...after, ...otherRules]);",
    "All ways that are asked for are there, which the compiler does not see.",
    [["spec !== null", "true"]],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "[item.found, item.wanted].flatMap((kept) => (kept ? [kept.spec] : []));",
    "A text is no way in.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "dests.flatMap((dest, place) => (containsCidr(dest, host) ? place : [])),",
    "A text in the place of each that does not hold the host tells hosts apart as well.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "if (cases.length === 0 || !isCut(base, cases)) return cases;",
    "Nothing cuts no path.",
    [["cases.length === 0", "false"]],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    "const gone = new Set(cases.flatMap(({ item }) => (item.found && item.ruleId ? [item.ruleId] : [])));",
    "A text is no rule's id.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/drift-guardrails.ts",
    'const asRule = (spec: RuleSpec): Rule => ({ ...spec, id: null, description: "", createdAt: null });',
    "No description lets anything through.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/plan/plan-drift.ts",
    'state === "rollingBack" || (found !== null && ruleId !== null && mayBeRevoked(picture, ruleId));',
    "No id is among the ids; the compiler wants the question asked.",
    [["ruleId !== null", "true"]],
  ),
  ...on(
    "shared/plan/plan-drift.ts",
    'item.kind !== "guard" && !(item.ruleId !== null && isShown(item) && mayBeRevoked(picture, item.ruleId));',
    "No id is among the ids; the compiler wants the question asked.",
    [["item.ruleId !== null", "true"]],
  ),
  ...on(
    "shared/plan/baseline-diff.ts",
    "for (const list of Object.values(diff)) list.sort((a, b) => (a.key < b.key ? -1 : 1));",
    "No two lines of a list have one key.",
    [["a.key < b.key", "a.key <= b.key"]],
  ),
  ...on(
    "shared/plan/baseline-diff.ts",
    "const open = new Set(sensitiveOpenings(specs, [], policy.lease.sensitivePorts));",
    "A text opens nothing.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/baseline-diff.ts",
    'const held = line.spec.peer.kind === "prefixList" ? lists.get(line.spec.peer.prefixListId) : undefined;',
    "Another peer has no id of a list, and no list is known by none; the compiler wants the question asked.",
    [['line.spec.peer.kind === "prefixList"', "true"]],
  ),
  ...on(
    "shared/plan/group-differences.ts",
    'standing.kind !== "none" && isAccountedFor(patch, picture.now) ? [{ key: entry.key, ruleId: standing.ruleId }] : [],',
    "What stands for nothing has no id, and no rule of a group is without one: it accounts for none.",
    [
      ['standing.kind !== "none"', "true"],
      ['"none"', '""'],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on(
    "shared/plan/group-differences.ts",
    '...calls.flatMap((call) => ("ruleId" in call ? [call.ruleId] : [])),',
    NO_SUCH_RULE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/judge-drift.ts",
    "return callsBehind({ kind, key, ruleId, earlierIds: [], rule, since: null }, sightings);",
    "It is asked for ids of rules alone, and no rule has that one.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/judge-drift.ts",
    'const trusted = verdict.kind === "trusted" && terms.trustedPrincipals.find((it) => isNamed(it, verdict.principal));',
    "Another verdict names no principal, and nobody is found by none; the compiler wants the question asked.",
    [['verdict.kind === "trusted"', "true"]],
  ),
  ...on(
    "shared/plan/judge-drift.ts",
    'return peer.kind === "group" && writer.ownerAccounts.some((account) => account === peer.owner);',
    NO_OWNER,
    [['peer.kind === "group"', "true"]],
  ),
  ...on(
    "shared/plan/plan-drift.ts",
    "const isUndone = isOurDoing(picture, item) && !(item.ruleId !== null && differing.has(item.ruleId));",
    "No id is among the ids; the compiler wants the question asked.",
    [["item.ruleId !== null", "true"]],
  ),
  ...on(
    "shared/plan/plan-drift.ts",
    'adoptions: settled.flatMap(({ item, adoption }) => (item.state === "adopted" ? (adoption ?? []) : [])),',
    "What is adopted has what is to be adopted of it, which the compiler does not see.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-drift.ts",
    '...(stopped === "freeze" && watch.frozenUntil !== null ? [watch.frozenUntil] : []),',
    "What a freeze stops knows its end, which the compiler does not see.",
    [["watch.frozenUntil !== null", "true"]],
  ),
  ...on("shared/plan/plan-drift.ts", 'direction: "egress",', NO_DIRECTION, [['"egress"', '""']]),
  ...on("shared/plan/plan-drift.ts", 'policy: "accept",', NO_DIRECTION, [['"accept"', '""']]),
  ...on("shared/plan/plan-drift.ts", 'sourcePorts: { kind: "any" },', "What is no range is every port.", [
    ['{ kind: "any" }', "{}"],
    ['"any"', '""'],
  ]),
  ...on(
    "shared/plan/drift-case.ts",
    'const isDated = kind === "added" && !isKnown && rule !== null && rule.createdAt !== null;',
    "A rule that was added stands, which the compiler does not see.",
    [["rule !== null", "true"]],
  ),
  ...on(
    "shared/plan/drift-case.ts",
    "isNew: rule.createdAt !== null && rule.createdAt > watch.confirmedAt,",
    "No instant counts as 0, when no baseline was confirmed; the compiler wants the question asked.",
    [["rule.createdAt !== null", "true"]],
  ),
  ...on(
    "shared/plan/drift-case.ts",
    "seenAt: item.ruleId !== null && mayStillGo(picture, { ...rule, id: item.ruleId }) ? null : picture.readAt,",
    "No call names a rule without an id; the compiler wants the question asked.",
    [["item.ruleId !== null", "true"]],
  ),
  ...on(
    "shared/plan/list-reach.ts",
    "const allowed = (allocation?.allowedSources ?? []).flatMap((text) => parseCidr(text) ?? []);",
    "That text is no block.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/list-reach.ts",
    'if (kind === "prefix") return peer.kind === "prefixList" && peer.prefixListId === listId;',
    "Another peer has no id of a list, and no list has none; the compiler wants the question asked.",
    [['peer.kind === "prefixList"', "true"]],
  ),
  ...on(
    "shared/plan/list-reach.ts",
    'return [ports, sourcePorts].some((it) => it.kind === "list" && it.portRangeListId === listId);',
    "Other ports have no id of a list, and no list has none; the compiler wants the question asked.",
    [['it.kind === "list"', "true"]],
  ),
  ...on(
    "shared/plan/sensitive-tickets.ts",
    "if (trusted.length === 0) return cases;",
    "It saves looking at every grant where nobody trusted has done anything.",
    [["trusted.length === 0", "false"]],
  ),
  ...on(
    "shared/plan/sensitive-tickets.ts",
    "const replaced = new Set(trusted.flatMap(({ item }) => (item.wanted ? [ruleKey(item.wanted.spec)] : [])));",
    "A text is no key of a rule.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/sensitive-tickets.ts",
    "if (found && wanted && ruleKey(found.spec) === ruleKey(wanted.spec)) return [];",
    "A text opens nothing.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/sensitive-tickets.ts",
    "return kept.flatMap((spec) => (spec ? [{ ...spec, by: it }] : []));",
    "A text opens nothing.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/sensitive-tickets.ts",
    'item.verdict.kind === "trusted" ? { ...item, verdict: { ...item.verdict, treat: "ticket" } } : item;',
    "It is asked of what somebody trusted has done alone, which the compiler does not see.",
    [['item.verdict.kind === "trusted"', "true"]],
  ),
];
