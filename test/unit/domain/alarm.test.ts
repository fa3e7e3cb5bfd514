// What an alarm is named by, which rule it meets, and what it is about.
import { describe, expect, test } from "vitest";
import {
  ALARM_JOB,
  type Alarm,
  type AlarmRule,
  alarmIdOf,
  alarmRuleFor,
  OPTIMISE_JOB,
  parseSubject,
  subjectOf,
  subjectText,
} from "../../../shared/domain/alarm.ts";
import { sha256Hex } from "../../../shared/domain/digest.ts";

const anAlarm = (changes: Partial<Alarm> = {}): Alarm => ({
  rule: "ddos",
  ruleId: "rule-7",
  namespace: "acs_ecs_dashboard",
  metric: "InternetInRate",
  level: "CRITICAL",
  state: "ALERT",
  dimensions: { instanceId: "i-web-1", userId: "1000" },
  at: 1,
  ...changes,
});
const aRule = (changes: Partial<AlarmRule> = {}): AlarmRule => ({
  ...{ rule: null, namespace: null, metric: null, levels: [], action: "notify", scope: null, periodMs: null },
  ...changes,
});

test("its jobs are called as stored rows know them", () => {
  expect([ALARM_JOB, OPTIMISE_JOB]).toEqual(["alarm", "optimise"]);
});

describe("the name of an alarm", () => {
  test("is of its rule, metric and dimensions in any order, without the account's number", () => {
    const about = [
      ["device", "eth0"],
      ["instanceId", "i-web-1"],
    ];
    const named = `al-${sha256Hex(JSON.stringify(["rule-7", "acs_ecs_dashboard", "InternetInRate", about])).slice(0, 20)}`;
    expect(alarmIdOf(anAlarm({ dimensions: { device: "eth0", instanceId: "i-web-1", userId: "1" } }))).toBe(named);
    expect(alarmIdOf(anAlarm({ dimensions: { userId: "2", instanceId: "i-web-1", device: "eth0" } }))).toBe(named);
  });

  test("is the same in every state, level and retry", () => {
    const again = anAlarm({ state: "OK", level: "WARN", at: 2, rule: "renamed" });
    expect(alarmIdOf(again)).toBe(alarmIdOf(anAlarm()));
  });

  test.each<[string, Partial<Alarm>]>([
    ["rule", { ruleId: "rule-8" }],
    ["namespace", { namespace: "acs_slb_dashboard" }],
    ["metric", { metric: "InternetOutRate" }],
    ["instance", { dimensions: { instanceId: "i-web-2" } }],
    ["dimension", { dimensions: { member: "i-web-1" } }],
  ])("is another one for another %s", (_what, changes) => {
    expect(alarmIdOf(anAlarm(changes))).not.toBe(alarmIdOf(anAlarm()));
  });

  test("without an id of its rule is by the rule's name", () => {
    expect(alarmIdOf(anAlarm({ ruleId: "" }))).not.toBe(alarmIdOf(anAlarm({ ruleId: "", rule: "other" })));
    expect(alarmIdOf(anAlarm({ ruleId: "", rule: "rule-7" }))).toBe(alarmIdOf(anAlarm()));
  });
});

describe("the rule that an alarm meets", () => {
  test.each<[string, Partial<AlarmRule>, boolean]>([
    ["anything", {}, true],
    ["its name", { rule: "ddos" }, true],
    ["its id", { rule: "rule-7" }, true],
    ["another name", { rule: "cpu" }, false],
    ["its namespace", { namespace: "acs_ecs_dashboard" }, true],
    ["another namespace", { namespace: "acs_slb_dashboard" }, false],
    ["its metric", { metric: "InternetInRate" }, true],
    ["another metric", { metric: "InternetOutRate" }, false],
    ["its level among others", { levels: ["WARN", "CRITICAL"] }, true],
    ["other levels", { levels: ["WARN"] }, false],
    ["all but one of them", { rule: "ddos", namespace: "acs_ecs_dashboard", metric: "other" }, false],
  ])("may ask for %s", (_what, changes, isMet) => {
    const rule = aRule(changes);
    expect(alarmRuleFor(anAlarm(), [rule])).toBe(isMet ? rule : null);
  });

  test("is the first of many", () => {
    const rules = [aRule({ rule: "cpu" }), aRule({ rule: "ddos" }), aRule()];
    expect(alarmRuleFor(anAlarm(), rules)).toBe(rules[1]);
    expect(alarmRuleFor(anAlarm({ rule: "mem", ruleId: "" }), rules)).toBe(rules[2]);
  });

  test.each<[Alarm["state"], boolean]>([
    ["ALERT", false],
    ["OK", true],
    ["INSUFFICIENT_DATA", true],
  ])("is by its level while it is on alone: %s", (state, isMet) => {
    expect(alarmRuleFor(anAlarm({ state, level: "INFO" }), [aRule({ levels: ["CRITICAL"] })]) !== null).toBe(isMet);
  });
});

describe("what an alarm is about", () => {
  const host = "i-web-1";
  test.each<[Record<string, string>, ReturnType<typeof subjectOf>]>([
    [{}, { host: null, protocol: null, port: null }],
    [{ instanceId: host }, { host, protocol: null, port: null }],
    [{ member: "eni-7" }, { host: "eni-7", protocol: null, port: null }],
    [
      { instanceId: host, member: "eni-7" },
      { host, protocol: null, port: null },
    ],
    [
      { instanceId: "web", member: "eni-7" },
      { host: "eni-7", protocol: null, port: null },
    ],
    [
      { member: host, protocol: "TCP", port: "7890" },
      { host, protocol: "tcp", port: 7890 },
    ],
    [
      { member: host, protocol: "tcp" },
      { host, protocol: null, port: null },
    ],
    [
      { member: host, port: "22" },
      { host, protocol: null, port: 22 },
    ],
    [
      { protocol: "a123456789", port: "1" },
      { host: null, protocol: "a123456789", port: 1 },
    ],
    [
      { protocol: "a1234567890", port: "65535" },
      { host: null, protocol: null, port: 65_535 },
    ],
    [
      { protocol: "tcp/", port: "22" },
      { host: null, protocol: null, port: 22 },
    ],
    [
      { protocol: " tcp", port: "22" },
      { host: null, protocol: null, port: 22 },
    ],
  ])("by %j is %j", (dimensions, subject) => {
    expect(subjectOf({ dimensions })).toEqual(subject);
  });

  test.each(["0", "65536", "99999", "100000", "022222", "-1", "22 ", "x22", "1e3", "2.2", ""])(
    "is no port %j",
    (port) => {
      expect(subjectOf({ dimensions: { port } }).port).toBeNull();
    },
  );

  test.each(["i-", "i_web", "xi-web-1", "eni", "i-web 1", `i-${"a".repeat(61)}`, "ieni-1"])("is no host %j", (name) => {
    expect(subjectOf({ dimensions: { instanceId: name } }).host).toBeNull();
  });

  test("is a word without spaces, and the word is read back", () => {
    const longest = `i-${"a".repeat(60)}`;
    expect(subjectOf({ dimensions: { instanceId: longest } }).host).toBe(longest);
    const words = ["", host, `${host}/tcp/7890`, `${host}//7890`, "/tcp/22", "//22"];
    expect(words.map((word) => subjectText(parseSubject(word)))).toEqual(words);
    expect(parseSubject(`${host}/tcp/7890`)).toEqual({ host, protocol: "tcp", port: 7890 });
    expect(subjectText({ host, protocol: "tcp", port: null })).toBe(host);
  });
});
