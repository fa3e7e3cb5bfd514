// The mutants of what shared/plan makes of use and of quarantines that live and are right to live.
import { type Explained, on } from "./explained.ts";

const NO_OWNER = "Other peers have no owner, and no account is none; the compiler wants the question asked.";
const NO_INSTANT = "Nothing is later than no instant, which counts as 0; the compiler wants the question asked.";

export const EXPLAINED_IN_USE: readonly Explained[] = [
  ...on(
    "shared/plan/watch-quarantine.ts",
    "this.weigh = weigherOf({ rule, sameGroup: [] }, { recycling });",
    "A text is nobody's address.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/watch-quarantine.ts",
    "if (list.length > 0 || port.real.more || isUnnamed)",
    "It saves joining nobody, of whom nothing comes.",
    [
      ["list.length > 0 || port.real.more || isUnnamed", "true"],
      ["list.length > 0", "list.length >= 0"],
    ],
  ),
  ...on(
    "shared/plan/watch-quarantine.ts",
    'if (unnamedAt !== null && unnamedAt > since) visit("somebody", "talking", unnamedAt);',
    "No instant counts as 0, which is before any quarantine; the compiler wants the question asked.",
    [["unnamedAt !== null", "true"]],
  ),
  ...on(
    "shared/plan/watch-quarantine.ts",
    "const isScanner = (swept.get(peer.block)?.size ?? 0) >= SWEPT_MIN;",
    "Whoever was refused here has tried this port at least; the compiler does not see that.",
    [["swept.get(peer.block)?.size", "swept.get(peer.block).size"]],
  ),
  ...on(
    "shared/plan/known-time.ts",
    "shut: readonly ShutTime[] = [],",
    "A text is no time in which anything was shut.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/known-time.ts",
    "return daysBetween(first < window.from ? window.from : first, window.until).filter(",
    "Of two that are equal either is the same.",
    [["first < window.from", "first <= window.from"]],
  ),
  ...on(
    "shared/plan/known-time.ts",
    'const [first = ""] = days;',
    "It is asked of some days, which the compiler does not see.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    "if (last !== undefined) starts.push(last.from);",
    "Two years back every season was over; the compiler does not know.",
    [["last !== undefined", "true"]],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    "const { rule, strays = [], unread = null } = this.asked;",
    "A text was used at no time.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    "if (this.last === null || session.at > this.last.at) this.last = session;",
    "Of two at one instant either is the last.",
    [["session.at > this.last.at", "session.at >= this.last.at"]],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    'if (rule.createdAt !== null && rule.createdAt > since) add("young", `created at ${formatUtc(rule.createdAt)}`);',
    NO_INSTANT,
    [["rule.createdAt !== null", "true"]],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    'if (changedAt !== null && changedAt > since) add("edited", `changed at ${formatUtc(changedAt)}`);',
    NO_INSTANT,
    [["changedAt !== null", "true"]],
  ),
  ...on(
    "shared/plan/judge-use.ts",
    'return peer.kind === "group" && writer.ownerAccounts.some((account) => account === peer.owner);',
    NO_OWNER,
    [['peer.kind === "group"', "true"]],
  ),
  ...on(
    "shared/plan/plan-quarantine.ts",
    'interfaces.length > 0 ? interfaces : [{ eniId: "", addresses: [], groups: [group] }];',
    "A text is an address of neither family: nobody's own.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/plan/weigh-peer.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    "const told = /^\\d+$/.test(protocol) ? `ip-${protocol}` : protocol;",
    "A number with something behind it is no protocol of any rule, with or without the prefix.",
    [["/^\\d+$/", "/^\\d+/"]],
  ),
  ...on("shared/plan/shut-times.ts", "const history = item?.history ?? [];", "A text is no move of an item.", [
    ["[]", '["Stryker was here"]'],
  ]),
];
