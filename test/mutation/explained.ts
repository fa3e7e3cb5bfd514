// Mutants that live and are right to live: what they change cannot be seen from outside. `npm run mutate` fails on a survivor that is
// not here, and on a line here that is no survivor any more.

export interface Explained {
  /** Path from the root. */
  readonly file: string;
  /** The source line that the mutant begins on, without the space around it. */
  readonly line: string;
  /** The text that is replaced, and what by; white space counts as one space. */
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

const ONLY_FASTER = "What is kept is what would be read again, and how much is kept only saves memory.";
const SAME_OF_EQUALS = "Of two that are equal either is the same.";

type Mutants = readonly (readonly [original: string, replacement: string])[];

/** Mutants of one line of a file that live for one reason. */
export const on = (file: string, line: string, reason: string, mutants: Mutants): readonly Explained[] =>
  mutants.map(([original, replacement]) => ({ file, line, original, replacement, reason }));

const ALL_OR_NONE = "The groups of the expression are all there or none is; the compiler wants each asked for.";
const NOTHING_AT_ONE = "An array of one text has nothing where the groups begin, as the empty one.";

export const EXPLAINED: readonly Explained[] = [
  ...on(
    "shared/domain/record-chain.ts",
    'if (key.type !== "private") return verify(null, text, key, bytes);',
    "Signing again answers as verifying does, and faster.",
    [
      ['key.type !== "private"', "true"],
      ['"private"', '""'],
    ],
  ),
  ...on(
    "shared/domain/port-range.ts",
    "return from === null || to === null || from > to || more.length > 0 ? null : { from, to };",
    "A port is at least 1 and null compares as 0, so the range would run backwards; the compiler wants the question asked.",
    [["to === null", "false"]],
  ),
  ...on(
    "shared/domain/mark.ts",
    "const [, installation, entryId, untilText, mac] = MARK.exec(text) ?? [];",
    NOTHING_AT_ONE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/domain/mark.ts",
    "if (installation === undefined || entryId === undefined || untilText === undefined || mac === undefined) return null;",
    ALL_OR_NONE,
    [
      ["installation === undefined", "false"],
      ["entryId === undefined", "false"],
      ["untilText === undefined", "false"],
      ["mac === undefined", "false"],
      ["installation === undefined || entryId === undefined", "false"],
      ["installation === undefined || entryId === undefined", "installation === undefined && entryId === undefined"],
      ["installation === undefined || entryId === undefined || untilText === undefined", "false"],
      [
        "installation === undefined || entryId === undefined || untilText === undefined",
        "(installation === undefined || entryId === undefined) && untilText === undefined",
      ],
      [
        "installation === undefined || entryId === undefined || untilText === undefined || mac === undefined",
        "(installation === undefined || entryId === undefined || untilText === undefined) && mac === undefined",
      ],
    ],
  ),
  ...on(
    "shared/domain/mark.ts",
    "if (installation === undefined || entryId === undefined || untilText === undefined || mac === undefined) return null;",
    "Without any of them there is no end either, and the next line finds none.",
    [["installation === undefined || entryId === undefined || untilText === undefined || mac === undefined", "false"]],
  ),
  ...on(
    "shared/domain/approval-link.ts",
    "const [, leaseId, end, name, sign] = LINK.exec(text) ?? [];",
    NOTHING_AT_ONE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/domain/approval-link.ts",
    "if (leaseId === undefined || end === undefined || name === undefined || sign === undefined) return null;",
    ALL_OR_NONE,
    [
      ["leaseId === undefined", "false"],
      ["end === undefined", "false"],
      ["name === undefined", "false"],
      ["sign === undefined", "false"],
      ["leaseId === undefined || end === undefined", "false"],
      ["leaseId === undefined || end === undefined", "leaseId === undefined && end === undefined"],
      ["leaseId === undefined || end === undefined || name === undefined", "false"],
      [
        "leaseId === undefined || end === undefined || name === undefined",
        "(leaseId === undefined || end === undefined) && name === undefined",
      ],
      [
        "leaseId === undefined || end === undefined || name === undefined || sign === undefined",
        "(leaseId === undefined || end === undefined || name === undefined) && sign === undefined",
      ],
    ],
  ),
  ...on(
    "shared/domain/lockdown.ts",
    "const [, scope, sequence] = /^ld-([0-9a-f]{12})-(\\d{1,9})$/.exec(id) ?? [];",
    NOTHING_AT_ONE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/domain/recycling-place.ts",
    'const [, region, done, cursor] = PLACE.exec(text ?? "") ?? [];',
    "Neither text is a place, and an array of one text has nothing where the groups begin.",
    [
      ['""', '"Stryker was here!"'],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on(
    "shared/domain/recycling-place.ts",
    "if (region === undefined || done === undefined) return null;",
    ALL_OR_NONE,
    [
      ["region === undefined", "false"],
      ["done === undefined", "false"],
      ["region === undefined || done === undefined", "region === undefined && done === undefined"],
    ],
  ),
  ...on(
    "shared/domain/guard.ts",
    "export const strongerGuard = (a: Guard, b: Guard): Guard => (STRENGTH[a] >= STRENGTH[b] ? a : b);",
    "Of two that are equally strong either is the same.",
    [["STRENGTH[a] >= STRENGTH[b]", "STRENGTH[a] > STRENGTH[b]"]],
  ),
  ...on(
    "shared/domain/verdict.ts",
    'if (accept.policy !== "accept" || accept.direction !== spec.direction || !coveredBy(wanted, accept)) return false;',
    "A drop that covers all that is wanted is among the drops that come before itself, unless a stronger accept covers as much, which is found by itself.",
    [['accept.policy !== "accept"', "false"]],
  ),
  ...on(
    "shared/domain/operator-path.ts",
    "own: readonly Cidr[] = [],",
    "A text is an address of neither family: nobody's own.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/domain/operator-path.ts",
    "export const isOperatorPath = (path: OperatorPath): boolean => pathSpecs(path, []) !== null;",
    "A text is an address of neither family: nobody's own.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on(
    "shared/domain/operator-path.ts",
    "if (stays.size === 0) return false;",
    "Saves asking the same once more: with nothing left out, what follows is what has just been asked.",
    [["stays.size === 0", "false"]],
  ),
  ...on(
    "shared/domain/operator-path.ts",
    'if (peer.kind !== "cidr") return [];',
    "What is parsed from the words of a grant has blocks alone; the compiler wants the question asked.",
    [
      ['peer.kind !== "cidr"', "false"],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on("shared/domain/grant.ts", 'case "all":', "What is no number of a protocol counts as covering, as all do.", [
    ['"all"', '""'],
  ]),
  ...on(
    "shared/domain/instant.ts",
    "if (!/^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$/.test(text)) return null;",
    "What follows a good instant makes it none for the parser, or goes when it is written again.",
    [["/^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$/", "/^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z/"]],
  ),
  ...on("shared/domain/cidr.ts", "else if (last > open.last) open.last = last;", SAME_OF_EQUALS, [
    ["last > open.last", "last >= open.last"],
  ]),
  ...on(
    "shared/domain/cidr.ts",
    "const addressText = slash < 0 ? text : text.slice(0, slash);",
    "What begins with a slash has no address, with or without it.",
    [["slash < 0", "slash <= 0"]],
  ),
  ...on(
    "shared/domain/cidr.ts",
    "const prefix = slash < 0 ? addressBits(family) : parsePrefix(text.slice(slash + 1), addressBits(family));",
    "What begins with a slash has no address, whatever its prefix length.",
    [["slash < 0", "slash <= 0"]],
  ),
  ...on(
    "shared/domain/reach.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of source, as it stands there.
    'if (kind === "unknown") return `protocol ${quoted(typeof spec.protocol === "string" ? kind : spec.protocol.other)}`;',
    "No protocol with a name of its own is unknown; the compiler wants the question asked.",
    [
      ['typeof spec.protocol === "string"', "false"],
      ['"string"', '""'],
    ],
  ),
  ...on(
    "shared/domain/core-port.ts",
    'const [, protocol, ports = ""] = /^(?:(tcp|udp)\\/)?([\\d-]+)$/.exec(text) ?? [];',
    "Neither text is a port, and an array of one text has nothing where the groups begin.",
    [
      ['""', '"Stryker was here!"'],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on(
    "shared/domain/sensitive-openings.ts",
    "return widest !== null && widest < WORLD_PREFIX[family];",
    "Nobody asks of a family that no opening is of, and beside nothing granted the openings are judged by themselves.",
    [["widest !== null", "true"]],
  ),
  ...on(
    "shared/domain/open-hours.ts",
    "const offsets = offsetsBetween(hours.zone, firstDay - 1, lastDay + 3);",
    "What began more than a week ago is cut at a Monday, wherever it began.",
    [["firstDay - 1", "firstDay + 1"]],
  ),
  ...on("shared/domain/open-hours.ts", "const spans: Span[] = [];", "What has no beginning is filtered out.", [
    ["[]", '["Stryker was here"]'],
  ]),
  ...on(
    "shared/domain/open-hours.ts",
    "for (let day = firstDay; day <= lastDay; day += 1) {",
    "What begins more than a week ahead is cut at a Monday, or follows an opening that is sooner.",
    [["day <= lastDay", "day < lastDay"]],
  ),
  ...on(
    "shared/domain/open-hours.ts",
    "return span === undefined ? Number.NEGATIVE_INFINITY : Math.min(span.until, clock - span.offsetMs);",
    "The offsets reach further than any window; the compiler does not know.",
    [["span === undefined", "false"]],
  ),
  ...on(
    "shared/domain/open-hours.ts",
    "return span === undefined ? Number.POSITIVE_INFINITY : Math.max(span.from, clock - span.offsetMs);",
    "The offsets reach further than any window; the compiler does not know.",
    [["span === undefined", "false"]],
  ),
  ...on("shared/domain/zone-offsets.ts", "if (known !== undefined) return known;", ONLY_FASTER, [
    ["known !== undefined", "false"],
  ]),
  ...on("shared/domain/zone-offsets.ts", "if (zones.size >= ZONES_MAX) zones.clear();", ONLY_FASTER, [
    ["zones.size >= ZONES_MAX", "true"],
    ["zones.size >= ZONES_MAX", "false"],
    ["zones.size >= ZONES_MAX", "zones.size > ZONES_MAX"],
    ["zones.size >= ZONES_MAX", "zones.size < ZONES_MAX"],
  ]),
  ...on("shared/domain/zone-offsets.ts", "if (zone.days.size >= DAYS_MAX) zone.days.clear();", ONLY_FASTER, [
    ["zone.days.size >= DAYS_MAX", "true"],
    ["zone.days.size >= DAYS_MAX", "false"],
    ["zone.days.size >= DAYS_MAX", "zone.days.size > DAYS_MAX"],
    ["zone.days.size >= DAYS_MAX", "zone.days.size < DAYS_MAX"],
  ]),
  ...on(
    "shared/domain/zone-offsets.ts",
    "if (early === late) return [{ from, until, offsetMs: early }];",
    "The search finds no change before the end of the day, and answers the same later.",
    [["early === late", "false"]],
  ),
  ...on(
    "shared/domain/zone-offsets.ts",
    "format.format(instant).match(/\\d+/g) ?? []",
    "An instant is never told without numbers; the compiler does not know.",
    [["[]", '["Stryker was here"]']],
  ),
  ...on("shared/domain/traffic.ts", "const lower = a.first > b.first ? a : b;", SAME_OF_EQUALS, [
    ["a.first > b.first", "a.first >= b.first"],
  ]),
  ...on("shared/domain/traffic.ts", "const upper = a.last < b.last ? a : b;", SAME_OF_EQUALS, [
    ["a.last < b.last", "a.last <= b.last"],
  ]),
  ...on(
    "shared/domain/recycling-policy.ts",
    'return peer.kind === "prefixList" && peers.includes(peer.prefixListId);',
    "Another peer has no id of a list, and none is among the peers; the compiler wants the question asked.",
    [['peer.kind === "prefixList"', "true"]],
  ),
  ...on(
    "shared/domain/alarm.ts",
    "const about = Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1));",
    "No two dimensions have one name.",
    [["a < b", "a <= b"]],
  ),
  ...on(
    "shared/domain/alarm.ts",
    'const { instanceId = "", member = "", protocol = "", port = "" } = dimensions;',
    "Neither text is a host, a protocol or a port.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/domain/alarm.ts",
    'const [instanceId = "", protocol = "", port = ""] = text.split("/");',
    "Neither text is a host, a protocol or a port.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/domain/token-text.ts",
    'const [, start = "", tokenId = "", secret = "", sum = ""] = TOKEN_TEXT.exec(text) ?? [];',
    "The parts are all there or none is, and none of these texts is the checksum of another.",
    [
      ['""', '"Stryker was here!"'],
      ["[]", '["Stryker was here"]'],
    ],
  ),
  ...on("shared/domain/evidence.ts", "() => false,", "What is not true is not kept.", [
    ["() => false", "() => undefined"],
  ]),
  ...on(
    "shared/domain/evidence.ts",
    "export function joinDay(one: MemberDay, other: MemberDay, isKept: (port: PortUse) => boolean = () => false): MemberDay {",
    "What is not true is not kept.",
    [["() => false", "() => undefined"]],
  ),
  ...on(
    "shared/domain/evidence.ts",
    "const sorted = [...ports.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));",
    "Each port is there once.",
    [["a.protocol < b.protocol", "a.protocol <= b.protocol"]],
  ),
  ...on(
    "shared/domain/evidence.ts",
    "one === null ? other : other === null ? one : Math.max(one, other);",
    "No instant counts as 0, and none is before that.",
    [
      ["one === null", "false"],
      ["other === null", "false"],
    ],
  ),
  ...on(
    "shared/domain/evidence.ts",
    "const byName = (a: Peer, b: Peer): number => (a.block < b.block ? -1 : 1);",
    "Each block is there once.",
    [["a.block < b.block", "a.block <= b.block"]],
  ),
  ...on("shared/domain/evidence.ts", 'if (block.includes("/")) return block;', "The block of a block is itself.", [
    ['block.includes("/")', "false"],
  ]),
  ...on(
    "shared/domain/list-probe.ts",
    'const [region = "", day = ""] = word.split(":");',
    "With no day, or another, the word is another.",
    [['""', '"Stryker was here!"']],
  ),
  ...on("shared/domain/cloud-principal.ts", "const [, kind, name] = TYPED.exec(text) ?? [];", NOTHING_AT_ONE, [
    ["[]", '["Stryker was here"]'],
  ]),
  ...on(
    "shared/domain/cloud-principal.ts",
    'const [name = "", id = ""] = isSession',
    "A split text has a first part; the compiler does not know.",
    [['""', '"Stryker was here!"']],
  ),
  ...on(
    "shared/domain/audit.ts",
    "const [, year, number] = /^(20\\d{2})-(0[1-9]|1[0-2])$/.exec(month) ?? [];",
    NOTHING_AT_ONE,
    [["[]", '["Stryker was here"]']],
  ),
  ...on("shared/domain/audit.ts", "if (year === undefined || number === undefined) return null;", ALL_OR_NONE, [
    ["year === undefined", "false"],
    ["number === undefined", "false"],
    ["year === undefined || number === undefined", "year === undefined && number === undefined"],
  ]),
  ...on(
    "shared/domain/audit.ts",
    "const monthBefore = (month: Month): Month => monthOf((monthBounds(month)?.from ?? 0) - 1);",
    "Nobody but the calendar asks for the month before; the compiler does not know.",
    [["monthBounds(month)?.from", "monthBounds(month).from"]],
  ),
];
