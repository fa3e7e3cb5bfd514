// What notices say, in English and in Chinese. One table; data goes in cleaned, so that no text can pass for another line of ours.
import { formatUtc } from "../domain/instant.ts";
import type { Notice, NoticeData, NoticeKind } from "../domain/notice.ts";
import type { Language } from "../domain/notification-policy.ts";
import { oneLine } from "../domain/one-line.ts";

/** What one notice says: a title, and what is known, a line each. Plain text without markup. */
export interface NoticeText {
  readonly title: string;
  readonly lines: readonly string[];
}

type Say<Kind extends NoticeKind> = (data: NoticeData[Kind]) => readonly [title: string, ...lines: string[]];
type Texts = { readonly [Kind in NoticeKind]: Readonly<Record<Language, Say<Kind>>> };

const utc = (at: number): string => formatUtc(at).replace("T", " ").replace("Z", " UTC");
const minutes = (ms: number): number => Math.max(1, Math.round(ms / 60_000));

const CHANGES = {
  en: { added: "rule added", removed: "rule removed", edited: "rule changed", guard: "guard lowered" },
  zh: { added: "新增规则", removed: "删除规则", edited: "修改规则", guard: "降低守护级别" },
} as const;

const HELD_BY = {
  en: {
    hold: "rolled back too often in a short time",
    mode: "the mode forbids it",
    freeze: "freeze window",
    ceiling: "more at once than one pass may change",
    reading: "the group or its ledger cannot be read in full",
    lockdown: "a lockdown keeps it closed",
    operatorPath: "it would cut the operators' path",
    cloudAssistant: "it may cut Cloud Assistant off",
    refused: "the cloud refuses it",
  },
  zh: {
    hold: "短时间内回滚次数过多",
    mode: "当前模式不允许",
    freeze: "处于冻结窗口",
    ceiling: "超过单次可改动的上限",
    reading: "安全组或台账未能完整读取",
    lockdown: "封锁期间保持关闭",
    operatorPath: "会切断运维通道",
    cloudAssistant: "可能切断云助手",
    refused: "云平台拒绝",
  },
} as const;

const DECISIONS = {
  en: { approved: "approved", denied: "denied", expired: "expired", cancelled: "taken back" },
  zh: { approved: "已批准", denied: "已拒绝", expired: "已过期", cancelled: "已撤回" },
} as const;

const STEPS = {
  en: { quarantine: "quarantine", delete: "deletion", restore: "being given back" },
  zh: { quarantine: "隔离", delete: "删除", restore: "恢复" },
} as const;

const TEXTS: Texts = {
  leaseOpened: {
    en: (d) => [
      `port ${d.ports} is open until ${utc(d.until)}`,
      `Lease ${d.lease} of ${d.principal}.`,
      `Reason: ${d.reason}`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 已开放，至 ${utc(d.until)}`,
      `租约 ${d.lease}，申请人 ${d.principal}。`,
      `原因：${d.reason}`,
    ],
  },
  leaseEnding: {
    en: (d) => [
      `port ${d.ports} closes in ${minutes(d.leftMs)} min`,
      `Lease ${d.lease} of ${d.principal} ends at ${utc(d.until)}. Extend it if it is still needed; sessions that are open stay open.`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 将在 ${minutes(d.leftMs)} 分钟后关闭`,
      `租约 ${d.lease}（${d.principal}）于 ${utc(d.until)} 到期。如仍需要请续期；已建立的连接不会中断。`,
    ],
  },
  leaseNotOpened: {
    en: (d) => [
      `port ${d.ports} was not opened`,
      `Lease ${d.lease} of ${d.principal} was to start at ${utc(d.startAt)}.`,
      `Why: ${d.why}`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 未能开放`,
      `租约 ${d.lease}（${d.principal}）原定于 ${utc(d.startAt)} 开始。`,
      `原因：${d.why}`,
    ],
  },
  leaseOverdue: {
    en: (d) => [
      "a port is open past its end",
      `Lease ${d.lease} of ${d.principal} should have closed at ${utc(d.dueAt)} and the cloud refuses.`,
      `Why: ${d.why}`,
      "It is tried again every minute. Remove the rule by hand if it must be closed now.",
    ],
    zh: (d) => [
      "端口超期未关闭",
      `租约 ${d.lease}（${d.principal}）应于 ${utc(d.dueAt)} 关闭，但云平台拒绝。`,
      `原因：${d.why}`,
      "系统每分钟重试。如需立即关闭，请手工删除该规则。",
    ],
  },
  driftFound: {
    en: (d) => [
      `drift: ${CHANGES.en[d.change]}`,
      d.reach,
      `By: ${d.actor}`,
      `Decide: drift ${d.drift} (adopt or restore).`,
    ],
    zh: (d) => [
      `配置漂移：${CHANGES.zh[d.change]}`,
      d.reach,
      `操作者：${d.actor}`,
      `请处理：漂移 ${d.drift}（采纳或恢复）。`,
    ],
  },
  driftRolledBack: {
    en: (d) => [
      `drift rolled back: ${CHANGES.en[d.change]}`,
      d.reach,
      `By: ${d.actor}`,
      `Drift ${d.drift}. It can be restored.`,
    ],
    zh: (d) => [`漂移已回滚：${CHANGES.zh[d.change]}`, d.reach, `操作者：${d.actor}`, `漂移 ${d.drift}，可恢复。`],
  },
  driftHeld: {
    en: (d) => [
      `drift is held: ${CHANGES.en[d.change]}`,
      d.reach,
      `By: ${d.actor}`,
      `Not rolled back: ${HELD_BY.en[d.heldBy]}. Drift ${d.drift} waits for a person.`,
    ],
    zh: (d) => [
      `漂移未回滚：${CHANGES.zh[d.change]}`,
      d.reach,
      `操作者：${d.actor}`,
      `未回滚原因：${HELD_BY.zh[d.heldBy]}。漂移 ${d.drift} 等待人工处理。`,
    ],
  },
  driftAdopted: {
    en: (d) => [`into the ledger: ${CHANGES.en[d.change]}`, d.reach, `By: ${d.actor}`, `Drift ${d.drift}.`],
    zh: (d) => [`已纳入台账：${CHANGES.zh[d.change]}`, d.reach, `操作者：${d.actor}`, `漂移 ${d.drift}。`],
  },
  ruleClaimed: {
    en: (d) => [
      d.kept
        ? "somebody authorized what a lease holds: the rule is theirs now and outlives the lease"
        : `somebody authorized what a lease holds: ${d.sensitive ? "everybody could reach a sensitive port by it" : "the group is enforced"}, and the rule goes with the lease`,
      d.rules,
      `By: ${d.actor}`,
      `Lease ${d.leases}.${d.kept ? "" : " Whoever needs the rule for longer asks for it in the ledger."}`,
    ],
    zh: (d) => [
      d.kept
        ? "有人授权了租约所持有的规则：该规则归其所有，租约结束后保留"
        : `有人授权了租约所持有的规则：${d.sensitive ? "该规则会使任何人都能访问敏感端口" : "安全组处于强制管控"}，规则随租约结束而关闭`,
      d.rules,
      `操作者：${d.actor}`,
      `租约 ${d.leases}。${d.kept ? "" : "如需长期使用，请申请写入台账。"}`,
    ],
  },
  reachChanged: {
    en: (d) => [
      d.confirmed
        ? `the list ${d.list} was changed, and so was what rules that name it let through`
        : `an event says that the list ${d.list} was changed, and with it what rules that name it let through; the trail has not confirmed it`,
      d.rules,
      ...(d.beyond
        ? [`Beyond what is allowed: ${d.beyond}. No list is changed back: retire the rules, or have it mended.`]
        : []),
      `${d.confirmed ? "By" : "Said to be by"}: ${d.actor}`,
    ],
    zh: (d) => [
      d.confirmed
        ? `列表 ${d.list} 已变更，引用它的规则放行范围随之改变`
        : `有事件称列表 ${d.list} 已变更，引用它的规则放行范围随之改变；操作审计尚未确认`,
      d.rules,
      ...(d.beyond ? [`超出允许范围：${d.beyond}。系统不会改回列表：请停用规则或修正列表。`] : []),
      `${d.confirmed ? "操作者" : "据称操作者"}：${d.actor}`,
    ],
  },
  guardFellBack: {
    en: (d) => ["an enforced group is only observed", d.why],
    zh: (d) => ["强制守护的安全组已降为仅观察", d.why],
  },
  recyclingNoticed: {
    en: (d) => [
      `port ${d.ports} seems unused`,
      d.lastUsedAt === null ? "No use is known." : `Last used: ${utc(d.lastUsedAt)}.`,
      `Owner: ${d.owner}. It may be quarantined from ${utc(d.nextAt)} on; exempt ${d.item} if it is needed.`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 疑似闲置`,
      d.lastUsedAt === null ? "未发现使用记录。" : `最近使用：${utc(d.lastUsedAt)}。`,
      `责任人：${d.owner}。自 ${utc(d.nextAt)} 起可能被隔离；如仍需要请豁免 ${d.item}。`,
    ],
  },
  recyclingWaits: {
    en: (d) => [
      `port ${d.ports} waits for ${STEPS.en[d.step]}`,
      `Owner: ${d.owner}.`,
      d.why,
      `Approve, exempt or restore ${d.item}.`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 等待${STEPS.zh[d.step]}`,
      `责任人：${d.owner}。`,
      d.why,
      `请批准、豁免或恢复 ${d.item}。`,
    ],
  },
  recyclingQuarantined: {
    en: (d) => [
      `port ${d.ports} is quarantined`,
      `Owner: ${d.owner}. New connections are dropped until ${utc(d.until)}; then the rule may be deleted. Restore ${d.item} if it is needed.`,
    ],
    zh: (d) => [
      `端口 ${d.ports} 已隔离`,
      `责任人：${d.owner}。新连接将被丢弃至 ${utc(d.until)}，之后规则可能被删除。如仍需要请恢复 ${d.item}。`,
    ],
  },
  recyclingLifted: {
    en: (d) => [
      `quarantine of port ${d.ports} is lifted`,
      `Somebody still uses it: ${d.visitor}.`,
      `Owner: ${d.owner}. Item ${d.item}.`,
    ],
    zh: (d) => [`端口 ${d.ports} 的隔离已解除`, `仍有访问者：${d.visitor}。`, `责任人：${d.owner}。条目 ${d.item}。`],
  },
  recyclingDeleted: {
    en: (d) => [`the rule for port ${d.ports} is deleted`, `Owner: ${d.owner}. Item ${d.item} can be restored.`],
    zh: (d) => [`端口 ${d.ports} 的规则已删除`, `责任人：${d.owner}。条目 ${d.item} 可恢复。`],
  },
  recyclingRestored: {
    en: (d) => [
      `the rule for port ${d.ports} is restored`,
      `By ${d.by}: ${d.why}.`,
      `Owner: ${d.owner}. Item ${d.item}.`,
    ],
    zh: (d) => [`端口 ${d.ports} 的规则已恢复`, `操作者 ${d.by}：${d.why}。`, `责任人：${d.owner}。条目 ${d.item}。`],
  },
  lockdownStarted: {
    en: (d) => [
      `LOCKDOWN of ${d.groups} groups`,
      `Cause: ${d.cause}`,
      `Open stay: ${d.core}. It ends by ${utc(d.until)} at the latest.`,
      ...(d.open === "" ? [] : [`Not closed yet: ${d.open}`]),
      `Lift: lockdown ${d.lockdown}.`,
    ],
    zh: (d) => [
      `紧急封锁 ${d.groups} 个安全组`,
      `原因：${d.cause}`,
      `保持开放：${d.core}。最迟于 ${utc(d.until)} 结束。`,
      ...(d.open === "" ? [] : [`尚未关闭：${d.open}`]),
      `解除：封锁 ${d.lockdown}。`,
    ],
  },
  lockdownEnded: {
    en: (d) => [`lockdown of ${d.groups} groups is over`, `Cause: ${d.cause}`, `Lockdown ${d.lockdown}.`],
    zh: (d) => [`${d.groups} 个安全组的封锁已解除`, `原因：${d.cause}`, `封锁 ${d.lockdown}。`],
  },
  approvalAsked: {
    en: (d) => [
      `${d.requester} asks for port ${d.ports}`,
      `Reason: ${d.reason}`,
      `Approve or deny lease ${d.lease} before ${utc(d.expiresAt)}.`,
    ],
    zh: (d) => [
      `${d.requester} 申请端口 ${d.ports}`,
      `原因：${d.reason}`,
      `请在 ${utc(d.expiresAt)} 前批准或拒绝租约 ${d.lease}。`,
    ],
  },
  approvalDecided: {
    en: (d) => [`request ${DECISIONS.en[d.decision]}`, `Lease ${d.lease} of ${d.requester}, by ${d.by}.`],
    zh: (d) => [`申请${DECISIONS.zh[d.decision]}`, `租约 ${d.lease}（${d.requester}），处理人 ${d.by}。`],
  },
  breakGlass: {
    en: (d) => [
      `BREAK-GLASS: ${d.principal} opened port ${d.ports}`,
      `Reason: ${d.reason}`,
      `Lease ${d.lease}, until ${utc(d.until)}.`,
    ],
    zh: (d) => [
      `紧急通道：${d.principal} 开放了端口 ${d.ports}`,
      `原因：${d.reason}`,
      `租约 ${d.lease}，至 ${utc(d.until)}。`,
    ],
  },
  unjustified: {
    en: (d) => [
      `${d.isLate ? "STILL NOT JUSTIFIED" : "to be justified"}: port ${d.ports}, opened by ${d.principal} without a second person`,
      `Reason given then: ${d.reason}`,
      `Say why with POST /v1/leases/${d.lease}:justify${d.isLate ? "; it was due" : " before"} ${utc(d.justifyBy)}.`,
    ],
    zh: (d) => [
      `${d.isLate ? "仍未说明" : "待说明"}：${d.principal} 未经第二人批准开放的端口 ${d.ports}`,
      `当时的原因：${d.reason}`,
      `请用 POST /v1/leases/${d.lease}:justify 说明${d.isLate ? "，期限已过：" : "，期限："}${utc(d.justifyBy)}。`,
    ],
  },
  healthAlarm: {
    en: (d) => ["safeport itself needs help", d.what, ...(d.since === null ? [] : [`Since ${utc(d.since)}.`])],
    zh: (d) => ["safeport 自身需要处理", d.what, ...(d.since === null ? [] : [`自 ${utc(d.since)} 起。`])],
  },
  alarmReceived: {
    en: (d) => [`alarm ${d.rule}: ${d.state}`, `Metric: ${d.metric}`, `Target: ${d.target}`],
    zh: (d) => [`告警 ${d.rule}：${d.state}`, `指标：${d.metric}`, `对象：${d.target}`],
  },
  auditReady: {
    en: (d) => [`the port audit of ${d.month} is there`, `${d.groups} groups, ${d.findings} things to look at.`],
    zh: (d) => [`${d.month} 端口审计已生成`, `${d.groups} 个安全组，${d.findings} 项待处理。`],
  },
};

const GROUP = { en: "Group: ", zh: "安全组：" } as const;

/** What a notice says. Every text of its data is one clean line of bounded length. */
export function noticeText(notice: Notice, language: Language): NoticeText {
  const clean = Object.entries(notice.data).map(([name, value]) => [
    name,
    typeof value === "string" ? oneLine(value) : value,
  ]);
  const say = TEXTS[notice.kind][language] as (data: unknown) => readonly [string, ...string[]];
  const [title, ...lines] = say(Object.fromEntries(clean));
  const where = notice.group ? [`${GROUP[language]}${notice.group.groupId} (${notice.group.region})`] : [];
  return { title: `[safeport] ${title}`, lines: [...where, ...lines].filter((line) => line !== "") };
}

/** The line that has a link. */
export const linkText = (link: string, language: Language): string =>
  language === "zh" ? `查看并处理：${link}` : `Look and decide: ${link}`;

const DIGEST = {
  en: { title: (n: number) => `[safeport] ${n} notices`, more: (n: number) => `… and ${n} more` },
  zh: { title: (n: number) => `[safeport] ${n} 条通知`, more: (n: number) => `…… 另有 ${n} 条` },
} as const;

/** Many notices in one: a line each, the first ones; how many are left out is said. */
export function digestText(notices: readonly Notice[], language: Language, linesMax: number): NoticeText {
  const shown = notices.slice(0, linesMax).map((notice) => {
    const { title } = noticeText(notice, language);
    const where = notice.group ? `${notice.group.groupId}: ` : "";
    return `${utc(notice.at).slice(11, 19)} ${where}${title.replace("[safeport] ", "")}`;
  });
  const left = notices.length - shown.length;
  const { title, more } = DIGEST[language];
  return { title: title(notices.length), lines: left > 0 ? [...shown, more(left)] : shown };
}
