// What changes from one policy document to another, and whether it allows more than before. Pure.

/** `widens`: more may be open, for longer, or with fewer eyes on it. `narrows`: the contrary. `neutral`: neither. */
export type PolicyEffect = "widens" | "narrows" | "neutral";

/** One field whose value differs; values as JSON. */
export interface PolicyChange {
  /** Such as `lease.periodMax` or `groups.guards.web`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly effect: PolicyEffect;
}

type Judge = (before: unknown, after: unknown) => PolicyEffect;

const compare =
  (more: PolicyEffect, less: PolicyEffect): Judge =>
  (before, after) =>
    typeof before === "number" && typeof after === "number" ? (after > before ? more : less) : "widens";
const moreWidens = compare("widens", "narrows");
const lessWidens = compare("narrows", "widens");
const neutral: Judge = () => "neutral";

/** Of a list as a set: what is new in it widens, or what is gone from it. */
const setOf =
  (widening: "added" | "removed"): Judge =>
  (before, after) => {
    const [then, now] = [itemsOf(before), itemsOf(after)];
    const added = now.some((item) => !then.includes(item));
    const removed = then.some((item) => !now.includes(item));
    if (!added && !removed) return "neutral";
    return (widening === "added" ? added : removed) ? "widens" : "narrows";
  };
const itemsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((item) => JSON.stringify(item)) : [];

const GUARDS = ["none", "observe", "enforce"];
/** A guard by name that goes may leave the group to its tag: that counts as none. One that is none by name overrules its tag. */
const guard: Judge = (before, after) => {
  const isLower = GUARDS.indexOf(String(after ?? "none")) < GUARDS.indexOf(String(before ?? "none"));
  return isLower || (before === undefined && after === "none") ? "widens" : "narrows";
};

/**
 * How a change of a field is judged; `*` stands for any name. A field that is not here widens with every change, so that one that is
 * added to the document asks for a second person until somebody has thought about it.
 */
const JUDGES: Readonly<Record<string, Judge>> = {
  // Without any the region that safeport runs in counts, which the list may have left out.
  regions: (before, after) => (itemsOf(after).length === 0 ? "widens" : setOf("added")(before, after)),
  defaultTarget: neutral,
  "lease.periodMin": neutral,
  "lease.periodMax": moreWidens,
  "lease.totalMax": moreWidens,
  "lease.startAheadMax": moreWidens,
  "lease.endNotices": neutral,
  "lease.endNoticesFrom": neutral,
  // The lower the number, the more of other people's drops it overrides.
  "lease.priority": lessWidens,
  "lease.sensitivePorts": setOf("removed"),
  "lease.sourceWidthMax.v4": lessWidens,
  "lease.sourceWidthMax.v6": lessWidens,
  "lease.onInstanceStop": (before, after) => (after === "keep" ? "widens" : before === "keep" ? "narrows" : "neutral"),
  "lease.destCidrIp": (_before, after) => (after === "use" ? "widens" : "narrows"),
  "approval.issuerMayApprove": (_before, after) => (after === false ? "narrows" : "widens"),
  "approval.distinctIssuers": (_before, after) => (after === true ? "narrows" : "widens"),
  "groups.denied": setOf("removed"),
  "groups.guards.*": guard,
  "drift.unknownWriterWait": moreWidens,
  "drift.revertsMax": lessWidens,
  "drift.revertsWithin": moreWidens,
  "drift.percentPerPass": lessWidens,
  "drift.freeze": (_before, after) => (after === null ? "narrows" : "widens"),
  "drift.foreignWidthMax.v4": lessWidens,
  "drift.foreignWidthMax.v6": lessWidens,
  foreignWriters: setOf("added"),
  trustedPrincipals: setOf("added"),
  // More of it keeps more open, less of it lets a rollback or a lockdown cut somebody off.
  operatorPath: () => "widens",
  // Both ways close the same.
  "lockdown.prefixLists": neutral,
  "limits.rulesPerInterface": neutral,
  "limits.rulesKeptFree": lessWidens,
  "limits.changesPerPass": moreWidens,
  trustedProxies: setOf("added"),
};

/** Paths whose value is looked at as a whole although it is an object. */
const WHOLE = new Set(["drift.freeze", "drift.canary"]);

/** Every difference between two whole documents, in the order of their paths. */
export function policyChanges(before: unknown, after: unknown): readonly PolicyChange[] {
  return changesAt("", before, after).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function changesAt(path: string, before: unknown, after: unknown): PolicyChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!WHOLE.has(path) && (isFields(before) || before === undefined) && (isFields(after) || after === undefined)) {
    const [then, now] = [before ?? {}, after ?? {}];
    const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
    if (names.length > 0)
      return names.flatMap((name) => changesAt(path === "" ? name : `${path}.${name}`, then[name], now[name]));
  }
  return [{ path, before: before ?? null, after: after ?? null, effect: judgeOf(path)(before, after) }];
}

function judgeOf(path: string): Judge {
  const own = JUDGES[path];
  if (own !== undefined) return own;
  // A name may hold dots itself.
  const named = Object.keys(JUDGES).find((it) => it.endsWith(".*") && path.startsWith(it.slice(0, -1)));
  return JUDGES[named ?? ""] ?? (() => "widens");
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
