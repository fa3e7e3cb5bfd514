// The mutants of shared/plan that live and are right to live.
import { type Explained, on } from "./explained.ts";

const NO_SUCH_RULE = "The set is asked for ids of rules alone, and no rule has that one.";

export const EXPLAINED_IN_PLAN: readonly Explained[] = [
  ...on(
    "shared/plan/plan-entry.ts",
    ".flatMap((entry) => (entry.key === key ? (entry.suspension?.by ?? []) : []))",
    "A text keeps nothing closed.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-group.ts",
    "const isKept = calls.length < entryCalls.length + drift.calls.length;",
    "Where a mode keeps anything back nothing undoes drift.",
    [["entryCalls.length + drift.calls.length", "entryCalls.length - drift.calls.length"]],
  ),
  ...on(
    "shared/plan/judge-grant.ts",
    "const exceeded = rule === null ? [] : boundsOf(rule, ask);",
    "Without a rule nobody looks at what it bounds.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/judge-grant.ts",
    'if (rule !== null && exceeded.length > 0) return { kind: "refused", rule: rule.name, limit: true, why: exceeded };',
    "Without a rule nothing exceeds its bounds; the compiler wants the question asked.",
    [["rule !== null", "true"]],
  ),
  ...on(
    "shared/plan/judge-grant.ts",
    "return asked.length > 0 && asked.every((range) => merged.some((it) => portRangeContains(it, range)));",
    "One range is asked for at most.",
    [
      [
        "asked.every((range) => merged.some((it) => portRangeContains(it, range)))",
        "asked.some(range => merged.some(it => portRangeContains(it, range)))",
      ],
    ],
  ),
  ...on(
    "shared/plan/judge-grant.ts",
    'return protocol === "all" ? [EVERY_PORT] : [];',
    "A text is no range: it has no port in common with any.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on("shared/plan/judge-grant.ts", "const merged: PortRange[] = [];", "A text is no range: it holds no other.", [
    ["[]", '["Stryker was here"]'],
  ]),
  ...on(
    "shared/plan/judge-grant.ts",
    "merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };",
    "What is left of the part is within the whole.",
    [["merged.length - 1", "merged.length + 1"]],
  ),
  ...on(
    "shared/plan/plan-drop.ts",
    "return first !== undefined && (undoneAt.at(-1) ?? first) - first <= withinMs;",
    "Of what is not there no difference is a number, and no such difference is small.",
    [["first !== undefined", "true"]],
  ),
  ...on(
    "shared/plan/plan-entry.ts",
    'const instance = entry.spec.dest ? formatBare(entry.spec.dest) : "";',
    "Only a rule with a destination can have lost it; the compiler does not know.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/plan/plan-entry.ts",
    'const isClosedByUs = standing.kind !== "none" && !isLeaseOpen && mayBeRevoked(picture, standing.ruleId);',
    "What stands for nothing has no id, and no revoke names one that is none; the compiler does not know.",
    [
      ['standing.kind !== "none"', "true"],
      ['"none"', '""'],
    ],
  ),
  ...on(
    "shared/plan/plan-entry.ts",
    'if (standing.kind !== "preExisting") return undefined;',
    "A rule of ours that stands is decided about before, and what stands for nothing has no id to be found by.",
    [['standing.kind !== "preExisting"', "false"]],
  ),
  ...on(
    "shared/plan/plan-entry.ts",
    'const isOwed = window !== null && entry.allocation?.seenAt === null && picture.mode === "normal";',
    "A window is one of an allocation, which the compiler does not see.",
    [["entry.allocation?.seenAt", "entry.allocation.seenAt"]],
  ),
  ...on(
    "shared/plan/plan-entry.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    "const cause = `allocated by ${entry.allocation?.by}`;",
    "What is owed is allocated, which the compiler does not see.",
    [["entry.allocation?.by", "entry.allocation.by"]],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "mayKeep && lasting === null && reason !== null && !isNarrow(rule, picture) && splitAccept(rule, picture);",
    "What is closed whole needs no parts, and they are not looked at.",
    [["reason !== null", "true"]],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "const stay = [...picture.rules, ...closed].filter((rule) => !gone.has(ruleKey(rule)));",
    "What is planned leaves the ways of operators as they are by how it is made; looking once more is a net under it.",
    [["[...picture.rules, ...closed].filter((rule) => !gone.has(ruleKey(rule)))", "[...picture.rules, ...closed]"]],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    'const asRule = (spec: RuleSpec): Rule => ({ ...spec, id: null, description: "", createdAt: null });',
    "No verdict goes by what a rule says of itself.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "const [path] = cutPaths([...rules, ...otherRules], [...after, ...otherRules], operatorPath, addresses);",
    "What is planned leaves the ways of operators as they are by how it is made; looking once more is a net under it.",
    [["[...rules, ...otherRules]", "[]"]],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "const open = core.flatMap((text) => parseCorePort(text) ?? []).filter((it) => it.protocol === protocol);",
    "A text is a port of no protocol.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    ".flatMap((text) => parseCorePort(text) ?? [])",
    "A text is a port of no protocol.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "const starts = [...new Set([1, ...edges.flatMap(({ from, to }) => [from, to + 1])])]",
    "Beyond the last port comes what ends with it, which is open or one with the piece before.",
    [
      [
        "[...new Set([1, ...edges.flatMap(({ from, to }) => [from, to + 1])])] .filter((port) => port <= PORT_MAX)",
        "[...new Set([1, ...edges.flatMap(({ from, to }) => [from, to + 1])])]",
      ],
    ],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    ".filter((port) => port <= PORT_MAX)",
    "Beyond the last port comes what ends with it, which is open or one with the piece before.",
    [["port <= PORT_MAX", "true"]],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    ".flatMap((path) => path.sources.flatMap((text) => parseCidr(text) ?? []));",
    "A text is a block of neither family.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-lockdown.ts",
    "return least !== null && covers(least, traffic);",
    "Of what can be granted it is known what it means at least; the compiler does not know.",
    [["least !== null", "true"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "if (kept === null) return suspension;",
    "What is filtered out of nothing kept is nothing, too; the compiler wants the question asked.",
    [["kept === null", "false"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    ".filter((it) => it !== entry && it.suspension !== null && keptAtOf(it.suspension) > keptAtOf(suspension))",
    "No suspension was kept later than itself.",
    [["it !== entry", "true"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    ".flatMap((it) => it.suspension?.kept?.map(({ ruleId }) => ruleId) ?? []),",
    "The filter has left none without a suspension, which the compiler does not see.",
    [["it.suspension?.kept", "it.suspension.kept"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    ".flatMap((it) => it.suspension?.kept?.map(({ ruleId }) => ruleId) ?? []),",
    NO_SUCH_RULE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "if (left.length === (suspension.kept?.length ?? 0)) return suspension;",
    "It saves a copy that says the same.",
    [["left.length === (suspension.kept?.length ?? 0)", "false"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "const elsewhere = new Set(rulesOf(picture).flatMap(({ id }) => (same.some((it) => it.id === id) ? [] : id)));",
    NO_SUCH_RULE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "if (kept.length === 0) return null;",
    "Of nothing kept nothing is missing, and that is over as well, three lines on.",
    [["kept.length === 0", "false"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "const unseenSince = entry.suspension?.kept ? now : suspension.since;",
    "What is closed has a suspension, which the compiler does not see.",
    [["entry.suspension?.kept", "entry.suspension.kept"]],
  ),
  ...on(
    "shared/plan/plan-suspended.ts",
    "const young = isUnseen ? [unseenSince + lateEffectMaxMs] : [];",
    "A text is no later instant.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/split-accept.ts",
    'if (a.kind !== "cidr" || b.kind !== "cidr" || !overlaps(a.cidr, b.cidr)) return null;',
    "Both are blocks, which the compiler does not see.",
    [
      ['a.kind !== "cidr" || b.kind !== "cidr"', "false"],
      ['a.kind !== "cidr" || b.kind !== "cidr"', 'a.kind !== "cidr" && b.kind !== "cidr"'],
      ['a.kind !== "cidr"', "false"],
      ['b.kind !== "cidr"', "false"],
    ],
  ),
  ...on(
    "shared/plan/standby-drops.ts",
    "const family = cidrs[0]?.family ?? 4;",
    "A bundle has a drop, which the compiler does not see.",
    [["cidrs[0]?.family", "cidrs[0].family"]],
  ),
  ...on(
    "shared/plan/standby-drops.ts",
    'if (peer.kind !== "prefixList") return null;',
    "Another peer has no id of a list, and no list has none; the compiler wants the question asked.",
    [['peer.kind !== "prefixList"', "false"]],
  ),
  ...on(
    "shared/plan/session-cut.ts",
    'const LOOPBACK = ["127.0.0.1/32", "::1/128"].flatMap((text) => parseCidr(text) ?? []);',
    "Both texts are blocks, which the compiler does not see.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/session-cut.ts",
    'if (peer.kind !== "cidr" || ports.kind !== "range") return [];',
    "What can be cut is from addresses and to ports, which the compiler does not see.",
    [
      ['peer.kind !== "cidr" || ports.kind !== "range"', "false"],
      ['peer.kind !== "cidr" || ports.kind !== "range"', 'peer.kind !== "cidr" && ports.kind !== "range"'],
      ['peer.kind !== "cidr"', "false"],
      ['ports.kind !== "range"', "false"],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on(
    "shared/plan/entry-view.ts",
    'if (entry.standing.kind === "preExisting" && entry.standing.ruleId === rule.id) return false;',
    "A rule of ours that is booked is found before, and what stands for nothing has no id.",
    [['entry.standing.kind === "preExisting"', "true"]],
  ),
  ...on(
    "shared/plan/verify-records.ts",
    "for (const [number, digest] of heads ?? [])",
    "A letter is no later number.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/verify-records.ts",
    "const sealedAt = this.#head?.body.at ?? (oldest === undefined ? null : stampOf(oldest));",
    "What is not there was written at no time, and nothing is longer ago than that.",
    [["oldest === undefined", "false"]],
  ),
  ...[
    'const word = approvalOf(picture, "delete", changeOf("delete", item, plan));',
    'const unwritten = item.dropRefused && approvalOf(picture, "delete", changeOf("delete", item, plan));',
  ].flatMap((line) =>
    on("shared/plan/advance-item.ts", line, "What is no quarantine is a deletion.", [['"delete"', '""']]),
  ),
  ...on(
    "shared/plan/audit-group.ts",
    "owners: owners.sort((a, b) => b.open - a.open || (a.owner < b.owner ? -1 : 1)),",
    "No two lines are of one owner.",
    [["a.owner < b.owner", "a.owner <= b.owner"]],
  ),
  ...on(
    "shared/plan/audit-group.ts",
    "return order || (a.source < b.source ? -1 : 1);",
    "Of two rules with one port and one source either may come first.",
    [["a.source < b.source", "a.source <= b.source"]],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    'typeof before === "number" && typeof after === "number" ? (after > before ? more : less) : "widens";',
    "Equal numbers are no change.",
    [["after > before", "after >= before"]],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    'const GUARDS = ["none", "observe", "enforce"];',
    "What is not among them is weaker than all that are.",
    [['"none"', '""']],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    'const isLower = GUARDS.indexOf(String(after ?? "none")) < GUARDS.indexOf(String(before ?? "none"));',
    "Nothing is weaker than a guard that was not named, whichever it counts as; none by name is looked at next.",
    [['"none"', '""']],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    'return isLower || (before === undefined && after === "none") ? "widens" : "narrows";',
    "A guard that was named and is none by now is weaker, and said to be so before.",
    [["before === undefined", "true"]],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    '"lease.sensitivePorts": setOf("removed"),',
    "What does not widen by what is new widens by what is gone.",
    [['"removed"', '""']],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    '"groups.denied": setOf("removed"),',
    "What does not widen by what is new widens by what is gone.",
    [['"removed"', '""']],
  ),
  ...on(
    "shared/plan/policy-diff.ts",
    'return changesAt("", before, after).sort((a, b) => (a.path < b.path ? -1 : 1));',
    "No two changes have one path.",
    [["a.path < b.path", "a.path <= b.path"]],
  ),
  ...on("shared/plan/policy-diff.ts", 'return JUDGES[named ?? ""] ?? (() => "widens");', "No judge has that name.", [
    ['""', '"Stryker was here!"'],
  ]),
  ...on(
    "shared/plan/plan-messages.ts",
    "return [...alone.map(single), ...(head ? [{ notices: [head, ...rest] as const }] : [])];",
    "Fewer are told one by one than there are, which the compiler does not see.",
    [["[]", '["Stryker was here"]']],
  ),
];
