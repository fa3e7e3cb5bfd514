// What the use cases of recycling answer, one of each with every field filled.
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { RecyclingItem } from "../../../shared/domain/recycling-item.ts";
import type { RecyclingAnswer } from "../../../shared/usecases/recycling/decide-recycling.ts";
import type { RecyclingPage } from "../../../shared/usecases/recycling/list-recycling.ts";
import type { RecyclingReport } from "../../../shared/usecases/recycling/recycle-group.ts";
import { aJudgement, anItem, aQuarantine } from "../../kit/recycling.ts";
import { touched } from "../../kit/recycling-world.ts";

const at = Date.UTC(2026, 10, 5, 8, 0, 0);

export const recyclingItem: RecyclingItem = anItem({
  state: "quarantined",
  since: at,
  ruleId: "sgr-1" as RuleId,
  step: { to: "restored", by: "ann", why: "needed", at },
  waiting: { for: "evidence", why: ["80 % is known"] },
  approvals: [{ step: "delete", by: "bob", at, digest: "d" }],
  quarantine: aQuarantine({ at, silentMs: 86_400_000, blind: ["load balancers"] }),
  exemption: { owner: "ann", reason: "quarter end", by: "bob", until: at },
  judged: aJudgement({ at, lastUsedAt: at }),
  history: [{ from: null, to: "queued", by: "safeport", why: "unused", at }],
});

export const recyclingPage: RecyclingPage = { items: [recyclingItem], next: recyclingItem.itemId };

const day = {
  ...{ day: "2026-11-04", member: "eni-1", name: "web-1", coverage: 0.5, sources: ["flowLog"] },
  ports: [touched("refused", "2026-11-04", ["10.1.2.3"])],
};

export const recyclingStory = { item: recyclingItem, evidence: [day] };

export const recyclingAnswer: RecyclingAnswer = {
  item: recyclingItem,
  reach: { hosts: [], protocol: "tcp", ports: "7890", sources: ["203.0.113.7/32"] },
  plan: ["remove the drop"],
  notes: ["a drop takes its traffic"],
  settled: true,
};

export const recyclingReport: RecyclingReport = {
  groups: 1,
  rules: 2,
  verdicts: { used: 1, idle: 1, unknown: 0 },
  lines: [
    {
      ...{ itemId: recyclingItem.itemId, group: recyclingItem.group.groupId, key: recyclingItem.key },
      ...{ step: "quarantine", why: "unused" },
    },
  ],
  failed: [{ group: "sg-db", why: "Throttling" }],
  next: { region: "cn-hangzhou", cursor: "token", done: 12 },
  later: "Throttling",
};
