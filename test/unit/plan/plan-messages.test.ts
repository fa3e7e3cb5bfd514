// Which targets a notice goes to, and what of it one by one, what together and what later.
import { describe, expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { type Addressee, type Notice, type NoticeKind, noticeOf } from "../../../shared/domain/notice.ts";
import type { NotificationPolicy, NotifyTarget } from "../../../shared/domain/notification-policy.ts";
import { planMessages, targetsOf } from "../../../shared/plan/plan-messages.ts";
import { GROUP, NOW } from "../../kit/plan-pictures.ts";

const aNotice = (kind: NoticeKind, to: readonly Addressee[] = [], group: Notice["group"] = GROUP): Notice =>
  noticeOf(kind, { at: NOW, group, to, dedupe: "", data: {} as never });
const aTarget = (name: string, least: NotifyTarget["least"] = "low"): NotifyTarget => ({
  ...{ name, kind: "slack", url: null, urlFrom: null, secretFrom: null, language: "en", perMinute: 20, least },
});

describe("a notice goes", () => {
  const names = ["ann-chat", "bea-chat", "web-chat", "ops-chat", "all-chat"];
  const policy: NotificationPolicy = {
    targets: names.map((name) => aTarget(name)),
    people: {
      ann: { targets: ["ann-chat"], standIn: "bea" },
      bea: { targets: ["bea-chat"], standIn: null },
      carol: { targets: [], standIn: null },
      dan: { targets: [], standIn: "bea" },
      eve: { targets: ["ann-chat"], standIn: "nobody" },
    },
    groups: { "sg-web": ["web-chat"], "sg-empty": [], "": ["bea-chat"] },
    roles: { operator: ["ops-chat", "no-such-chat"] },
    otherwise: ["all-chat"],
    digestOver: 5,
    deadAfterMs: 1,
  };
  const told = (kind: NoticeKind, to: readonly Addressee[], group: Notice["group"] = GROUP) =>
    targetsOf(aNotice(kind, to, group), policy).map(({ name }) => name);
  const person = (principal: string): Addressee => ({ kind: "person", principal });
  const ofGroup = (name: string) => ({ ...GROUP, groupId: name as GroupId });

  test.each<[string, NoticeKind, Addressee, readonly string[]]>([
    ["to a person", "driftFound", person("ann"), ["ann-chat"]],
    ["to a person and the stand-in, where it is urgent", "driftHeld", person("ann"), ["ann-chat", "bea-chat"]],
    ["to a person without a stand-in", "driftHeld", person("bea"), ["bea-chat"]],
    ["to a person whose stand-in nobody knows", "driftHeld", person("eve"), ["ann-chat"]],
    ["to the stand-in alone, of a person who has no target", "driftHeld", person("dan"), ["bea-chat"]],
    ["where else nobody is named, of that person when it may wait", "driftFound", person("dan"), ["all-chat"]],
    ["where else nobody is named, of a person without targets", "driftHeld", person("carol"), ["all-chat"]],
    ["where else nobody is named, of a person nobody knows", "driftHeld", person("zoe"), ["all-chat"]],
    ["where else nobody is named, of what every object has", "driftHeld", person("constructor"), ["all-chat"]],
    ["to a role", "driftFound", { kind: "role", role: "operator" }, ["ops-chat"]],
    [
      "where else nobody is named, of a role without targets",
      "driftFound",
      { kind: "role", role: "admin" },
      ["all-chat"],
    ],
    ["to the group's people", "driftFound", { kind: "group" }, ["web-chat"]],
  ])("%s", (_what, kind, to, wanted) => {
    expect(told(kind, [to])).toEqual(wanted);
  });

  test("to the people of its own group, and where else nobody is named of a group without any", () => {
    expect(told("driftFound", [{ kind: "group" }], ofGroup("sg-empty"))).toEqual(["all-chat"]);
    expect(told("driftFound", [{ kind: "group" }], ofGroup("sg-other"))).toEqual(["all-chat"]);
    expect(told("healthAlarm", [{ kind: "group" }], null)).toEqual(["bea-chat"]);
  });

  test("to all whom it is for, to each target once", () => {
    const to = [person("ann"), person("eve"), { kind: "group" } as const, person("carol")];
    expect(told("driftFound", to)).toEqual(["ann-chat", "web-chat", "all-chat"]);
    expect(told("driftFound", [])).toEqual([]);
  });

  test("to no target that takes only what matters more", () => {
    const targets = (["alarm", "high", "normal", "low"] as const).map((least) => aTarget(least, least));
    const takes = (kind: NoticeKind) =>
      targetsOf(aNotice(kind, [person("x")]), { ...policy, targets, otherwise: targets.map(({ name }) => name) }).map(
        ({ name }) => name,
      );
    expect(takes("breakGlass")).toEqual(["alarm", "high", "normal", "low"]);
    expect(takes("driftHeld")).toEqual(["high", "normal", "low"]);
    expect(takes("driftFound")).toEqual(["normal", "low"]);
    expect(takes("leaseOpened")).toEqual(["low"]);
  });
});

describe("messages", () => {
  const some = (count: number, kind: NoticeKind): readonly Notice[] =>
    Array.from({ length: count }, (_, index) => ({ ...aNotice(kind), at: NOW + index }));
  /** How many notices each message has, of so many urgent ones and others. */
  const sizes = (
    urgent: number,
    others: number,
    room: number,
    kind: NotifyTarget["kind"] = "slack",
    perMinute = 20,
  ) => {
    const notices = [...some(urgent, "driftHeld"), ...some(others, "driftFound")];
    const planned = planMessages(notices, { kind, perMinute }, { room, digestOver: 5 });
    // In their order, and the first ones of those that may wait.
    const told = planned.flatMap((it) => it.notices);
    const isUrgent = (it: Notice): boolean => it.kind === "driftHeld";
    const first = told.filter(isUrgent).length;
    expect(told).toEqual([...notices.slice(0, first), ...notices.slice(urgent, urgent + told.length - first)]);
    return planned.map((it) => it.notices.length);
  };
  const ones = (count: number): readonly number[] => Array(count).fill(1);

  test.each([
    ["up to ten that are urgent one by one", 10, 0, 20, ones(10)],
    ["the eleventh and what comes after in a digest with the tenth", 12, 0, 20, [...ones(9), 3]],
    ["as many as there is room for, the last a digest", 5, 0, 3, [1, 1, 3]],
    ["as many as there is room for, where they just fit", 3, 0, 3, ones(3)],
    ["a digest alone, where there is room for one", 5, 0, 1, [5]],
    ["nothing without room", 5, 5, 0, []],
    ["at most 200 in a digest of what is urgent", 250, 0, 20, [...ones(9), 200]],
    ["up to five that may wait one by one", 0, 5, 20, ones(5)],
    ["more of them in one digest", 0, 6, 20, [6]],
    ["at most 200 in a digest of what may wait", 0, 250, 20, [200]],
    ["what may wait only where more than four are left", 0, 3, 4, []],
    ["what may wait in a digest, where one more than four is left", 0, 3, 5, [3]],
    ["what may wait beside what is urgent", 2, 3, 20, ones(5)],
    ["what may wait in what the urgent ones leave", 2, 3, 7, [1, 1, 3]],
    ["nothing that may wait, where the urgent ones leave four", 2, 3, 6, [1, 1]],
    ["nothing at all of nothing", 0, 0, 20, []],
  ])("are %s", (_what, urgent, others, room, wanted) => {
    expect(sizes(urgent, others, room)).toEqual(wanted);
  });

  test("keep a quarter of a minute for what is urgent, where that is less than four", () => {
    expect(sizes(0, 3, 3, "slack", 8)).toEqual([3]);
    expect(sizes(0, 3, 2, "slack", 8)).toEqual([]);
    expect(sizes(0, 3, 1, "slack", 3)).toEqual([3]);
  });

  test.each([
    ["all that is urgent", 30, 0, 40, ones(30)],
    ["as much as there is room for", 30, 0, 4, ones(4)],
    ["what may wait, but for the last four of a minute", 0, 30, 10, ones(6)],
    ["what may wait in what the urgent ones leave", 3, 30, 10, ones(6)],
    ["nothing that may wait, where nothing is left for it", 3, 30, 6, ones(3)],
    ["nothing where the minute is over-full", 3, 30, -1, []],
  ])("to a program are one by one: %s", (_what, urgent, others, room, wanted) => {
    expect(sizes(urgent, others, room, "webhook")).toEqual(wanted);
  });
});
