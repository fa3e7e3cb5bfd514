// The mutants of shared/plan that live and are right to live.
import type { Explained } from "./explained.ts";

const SUSPENDED = "shared/plan/plan-suspended.ts";
const DIFFERENCES = "shared/plan/group-differences.ts";
const JUDGE_DRIFT = "shared/plan/judge-drift.ts";
const STANDS =
  'standing.kind !== "none" && isAccountedFor(patch, picture.now) ? [{ key: entry.key, ruleId: standing.ruleId }] : [],';
const NO_ID = "What stands for nothing has no id, and no rule of a group is without one: it accounts for none.";

export const EXPLAINED_IN_PLAN: readonly Explained[] = [
  { file: DIFFERENCES, line: STANDS, original: 'standing.kind !== "none"', replacement: "true", reason: NO_ID },
  { file: DIFFERENCES, line: STANDS, original: '"none"', replacement: '""', reason: NO_ID },
  { file: DIFFERENCES, line: STANDS, original: "[]", replacement: '["Stryker was here"]', reason: NO_ID },
  {
    file: DIFFERENCES,
    line: '...calls.flatMap((call) => ("ruleId" in call ? [call.ruleId] : [])),',
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "The set is asked for ids of rules alone, and no rule has that one.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    line: 'const instance = entry.spec.dest ? formatBare(entry.spec.dest) : "";',
    original: '""',
    replacement: '"Stryker was here!"',
    reason: "Only a rule with a destination can have lost it; the compiler does not know.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    line: 'if (standing.kind !== "preExisting") return undefined;',
    original: 'standing.kind !== "preExisting"',
    replacement: "false",
    reason: "A rule of ours that stands is decided about before, and what stands for nothing has no id to be found by.",
  },
  {
    file: SUSPENDED,
    line: "if (kept === null) return suspension;",
    original: "kept === null",
    replacement: "false",
    reason: "What is filtered out of nothing kept is nothing, too; the compiler wants the question asked.",
  },
  {
    file: SUSPENDED,
    line: ".filter((it) => it !== entry && it.suspension !== null && keptAtOf(it.suspension) > keptAtOf(suspension))",
    original: "it !== entry",
    replacement: "true",
    reason: "No suspension was kept later than itself.",
  },
  {
    file: SUSPENDED,
    line: ".flatMap((it) => it.suspension?.kept?.map(({ ruleId }) => ruleId) ?? []),",
    original: "it.suspension?.kept",
    replacement: "it.suspension.kept",
    reason: "The filter has left none without a suspension, which the compiler does not see.",
  },
  {
    file: SUSPENDED,
    line: ".flatMap((it) => it.suspension?.kept?.map(({ ruleId }) => ruleId) ?? []),",
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "The set is asked for ids of rules alone, and no rule has that one.",
  },
  {
    file: SUSPENDED,
    line: "if (left.length === (suspension.kept?.length ?? 0)) return suspension;",
    original: "left.length === (suspension.kept?.length ?? 0)",
    replacement: "false",
    reason: "It saves a copy that says the same.",
  },
  {
    file: SUSPENDED,
    line: "const elsewhere = new Set(rulesOf(picture).flatMap(({ id }) => (same.some((it) => it.id === id) ? [] : id)));",
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "The set is asked for ids of rules alone, and no rule has that one.",
  },
  {
    file: SUSPENDED,
    line: "if (kept.length === 0 || isRetired) return null;",
    original: "kept.length === 0",
    replacement: "false",
    reason: "Of nothing kept nothing is missing, and that is over as well, three lines on.",
  },
  {
    file: "shared/plan/plan-drop.ts",
    line: "return first !== undefined && (undoneAt.at(-1) ?? first) - first <= withinMs;",
    original: "first !== undefined",
    replacement: "true",
    reason: "Of what is not there no difference is a number, and no such difference is small.",
  },
  {
    file: "shared/plan/weigh-peer.ts",
    line: `const told = /^\\d+$/.test(protocol) ? \`ip-\${protocol}\` : protocol;`,
    original: "/^\\d+$/",
    replacement: "/^\\d+/",
    reason: "A number with something behind it is no protocol of any rule, with or without the prefix.",
  },
  {
    file: JUDGE_DRIFT,
    line: "return callsBehind({ kind, key, ruleId, earlierIds: [], rule, since: null }, sightings);",
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "It is asked for ids of rules alone, and no rule has that one.",
  },
  {
    file: JUDGE_DRIFT,
    line: 'const trusted = verdict.kind === "trusted" && terms.trustedPrincipals.find((it) => isNamed(it, verdict.principal));',
    original: 'verdict.kind === "trusted"',
    replacement: "true",
    reason: "Another verdict names no principal, and nobody is found by none; the compiler wants the question asked.",
  },
  {
    file: JUDGE_DRIFT,
    line: 'return peer.kind === "group" && writer.ownerAccounts.some((account) => account === peer.owner);',
    original: 'peer.kind === "group"',
    replacement: "true",
    reason: "Other peers have no owner, and no account is none; the compiler wants the question asked.",
  },
  {
    file: "shared/plan/plan-quarantine.ts",
    line: 'interfaces.length > 0 ? interfaces : [{ eniId: "", addresses: [], groups: [group] }];',
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "A text is an address of neither family: nobody's own.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    line: 'const isOwed = window !== null && entry.allocation?.seenAt === null && picture.mode === "normal";',
    original: "entry.allocation?.seenAt",
    replacement: "entry.allocation.seenAt",
    reason: "A window is one of an allocation, which the compiler does not see.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    line: "const cause = `allocated by ${entry.allocation?.by}`;",
    original: "entry.allocation?.by",
    replacement: "entry.allocation.by",
    reason: "What is owed is allocated, which the compiler does not see.",
  },
];
