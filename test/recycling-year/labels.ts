// The labelled set: hosts with one port each, by what comes to them, and what has to become of each.
import type { LabelledHost } from "../kit/evidence-cloud.ts";

/** What comes to a port over the year, and nothing else. */
export type Label =
  | "daily"
  | "monthly"
  | "quarterly"
  | "idle"
  | "scanned"
  | "probed"
  | "balanced"
  | "sameGroup"
  | "gap"
  | "youngLog"
  | "udpUsed"
  | "udpIdle"
  | "closed"
  | "late"
  | "scaled"
  | "strayed"
  | "lateRecord"
  | "alarmed"
  | "unread";

/**
 * `kept`: used, or nobody can tell; never quarantined. `deleted`: truly idle. `lifted`: used so rarely that the window misses it, and
 * given back when its visitor comes.
 */
export type Fate = "kept" | "deleted" | "lifted";

interface LabelTerms {
  readonly hosts: number;
  readonly fate: Fate;
}

export const LABELS: Readonly<Record<Label, LabelTerms>> = {
  daily: { hosts: 4, fate: "kept" },
  monthly: { hosts: 4, fate: "kept" },
  // Used four times a year, and exempt until an end: that is how the policy is told of it.
  quarterly: { hosts: 3, fate: "kept" },
  idle: { hosts: 6, fate: "deleted" },
  scanned: { hosts: 4, fate: "deleted" },
  probed: { hosts: 4, fate: "deleted" },
  balanced: { hosts: 3, fate: "kept" },
  sameGroup: { hosts: 3, fate: "kept" },
  gap: { hosts: 3, fate: "kept" },
  youngLog: { hosts: 2, fate: "kept" },
  udpUsed: { hosts: 3, fate: "kept" },
  udpIdle: { hosts: 2, fate: "deleted" },
  closed: { hosts: 3, fate: "deleted" },
  late: { hosts: 2, fate: "lifted" },
  // Used monthly on hosts that are in the group for two nights alone.
  scaled: { hosts: 3, fate: "kept" },
  // Used monthly on hosts that are gone before anybody could see in which group they were.
  strayed: { hosts: 2, fate: "kept" },
  // Used monthly, and the log tells of it a day late.
  lateRecord: { hosts: 2, fate: "kept" },
  // Used monthly, and between that an alarm says that there is no traffic.
  alarmed: { hosts: 3, fate: "kept" },
  // Used for the first time on the last day of its notice, of which the log is late.
  unread: { hosts: 2, fate: "kept" },
};

/** A host with its label. */
export interface LabelledPort extends LabelledHost {
  readonly label: Label;
}

/** Every host of the set, each with a port of its own. */
export const labelledPorts: readonly LabelledPort[] = Object.entries(LABELS)
  .flatMap(([label, { hosts }]) => Array.from({ length: hosts }, (_, n) => ({ label: label as Label, n: n + 1 })))
  .map(({ label, n }, index) => ({
    label,
    name: `${label.toLowerCase()}-${n}`,
    port: 6001 + index,
    isUdp: label === "udpUsed" || label === "udpIdle",
    mates: label === "sameGroup" || label === "scaled" ? 1 : 0,
    isScaled: label === "scaled",
  }));
