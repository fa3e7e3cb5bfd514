// Adopting a group: the diff that a person looks at, what confirming it does, and what it refuses.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { ListRef } from "../../../shared/domain/list-ref.ts";
import { formatMark } from "../../../shared/domain/mark.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import type { BaselineDiff, BaselineLine } from "../../../shared/plan/baseline-diff.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import { getEntry, listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App, Caller } from "../../../shared/usecases/app.ts";
import { getGroup, listGroups } from "../../../shared/usecases/group/list-groups.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { changeAllocations } from "../../../shared/usecases/ledger/change-allocations.ts";
import {
  type BaselineWord,
  confirmBaseline,
  previewBaseline,
} from "../../../shared/usecases/ledger/confirm-baseline.ts";
import { confirmGuard } from "../../../shared/usecases/ledger/confirm-guard.ts";
import { aCidr } from "../../kit/rules.ts";
import { anAsk, GROUP, START } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const RULES = { from: "rules", template: "" } as const;
const TEMPLATE = { from: "template", template: "default" } as const;
const portsOf = (lines: readonly BaselineLine[]) => lines.map(({ key }) => Number(/\|(\d+)\//.exec(key)?.[1]));
const groupsOf = (diff: BaselineDiff) => ({
  added: portsOf(diff.added),
  missing: portsOf(diff.missing),
  unchanged: portsOf(diff.unchanged),
  ours: portsOf(diff.ours),
  foreign: portsOf(diff.foreign),
  ungranted: portsOf(diff.ungranted),
});
const NOTHING = { added: [], missing: [], unchanged: [], ours: [], foreign: [], ungranted: [] };

async function preview(guarded: GuardedApp, ask: typeof RULES | typeof TEMPLATE = RULES, policy: Partial<Policy> = {}) {
  const admin = guarded.caller("admin");
  return previewBaseline(guarded.app, { ...admin, policy: { ...admin.policy, ...policy } }, "web", ask);
}

const confirm = (
  guarded: GuardedApp,
  word: Partial<BaselineWord> & { digest: string },
  options = { dryRun: false },
  caller: Caller = guarded.caller("admin"),
) =>
  confirmBaseline(
    guarded.app,
    caller,
    "web",
    { ...RULES, owner: "ops", reason: "as it was", sensitive: [], ...word },
    options,
  );

describe("the diff of the rules that stand", () => {
  test("takes in what nobody granted, and leaves out what leases hold", async () => {
    const guarded = await guardedApp("observe", [ruleOf(80), ruleOf(443)]);
    const ask = anAsk({ port: "8080" });
    await openLease(guarded.app, guarded.caller("admin"), ask, { mode: "create", idempotencyKey: null, dryRun: false });
    expect(groupsOf((await preview(guarded)).diff)).toEqual({ ...NOTHING, added: [443, 80], ours: [8080] });
  });

  test("leaves a rule with a true mark out also when the ledger is lost, and takes a copied mark for what it is", async () => {
    const key = ruleKey(specOf(8080));
    const { installation, markSecret: secret } = (await guardedApp("none", [])).app.settings;
    const entryId = entryIdOf(GROUP.groupId, key);
    const description = formatMark({
      ...{ installation, entryId, until: START, groupId: GROUP.groupId, key, secret, reason: "" },
    });
    const guarded = await guardedApp("observe", [
      ruleOf(8080, undefined, { description }),
      ruleOf(81, undefined, { description }),
    ]);
    expect(groupsOf((await preview(guarded)).diff)).toEqual({ ...NOTHING, added: [81], ours: [8080] });
  });

  test("names the rules of foreign writers, which stay out of the ledger", async () => {
    const guarded = await guardedApp("observe", [ruleOf(3306, "100.104.5.0/24"), ruleOf(80)]);
    const foreignWriters = [{ name: "DTS", sources: [aCidr("100.104.0.0/16")], ownerAccounts: [] }];
    const { diff } = await preview(guarded, RULES, { foreignWriters });
    expect(groupsOf(diff)).toEqual({ ...NOTHING, added: [80], foreign: [3306] });
    expect(diff.foreign[0]?.writer).toBe("DTS");
  });

  test("names what stands no longer, but nothing that is owed or has open hours", async () => {
    const guarded = await guardedApp("observe", [ruleOf(80), ruleOf(81), ruleOf(82), ruleOf(83)]);
    await guarded.confirm();
    const changes = [
      { port: 82, changed: { seenAt: null } },
      { port: 83, changed: { openHours: { zone: "UTC", windows: [{ days: [1], from: "00:00", to: "01:00" }] } } },
    ];
    for (const { port, changed } of changes) {
      const entry = await getEntry(guarded.app.tables, GROUP, entryIdOf(GROUP.groupId, ruleKey(specOf(port))));
      if (entry?.allocation)
        await saveEntry(guarded.app.tables, { ...entry, allocation: { ...entry.allocation, ...changed } });
    }
    guarded.world.rules = [ruleOf(80)];
    expect(groupsOf((await preview(guarded)).diff)).toEqual({ ...NOTHING, missing: [81], unchanged: [80, 82, 83] });
  });

  test("has a digest of exactly what would be confirmed", async () => {
    const guarded = await guardedApp("observe", [ruleOf(80)]);
    const first = (await preview(guarded)).diff.digest;
    const ask = anAsk({ port: "8080" });
    await openLease(guarded.app, guarded.caller("admin"), ask, { mode: "create", idempotencyKey: null, dryRun: false });
    expect((await preview(guarded)).diff.digest, "a lease came").toBe(first);
    guarded.world.rules = [...guarded.world.rules, ruleOf(81)];
    expect((await preview(guarded)).diff.digest, "a rule came").not.toBe(first);
    expect((await preview(guarded, TEMPLATE)).diff.digest, "another source").not.toBe(first);
  });

  test("marks what everybody can reach of sensitive ports, split ranges included", async () => {
    const guarded = await guardedApp("observe", [
      ruleOf(22, "0.0.0.0/1"),
      ruleOf(23, "10.0.0.0/8"),
      ruleOf(80, "0.0.0.0/0"),
    ]);
    const { diff } = await preview(guarded);
    expect(portsOf(diff.added.filter((line) => line.sensitive))).toEqual([22]);
  });
});

describe("a confirmation", () => {
  test("makes the rules the ledger and the ledger the baseline; the group is enforced", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
    const before = await getGroup(guarded.app, guarded.caller("admin").policy, "web");
    expect(before).toMatchObject({ guard: "enforce", acts: "observe", baseline: null });
    const { diff } = await preview(guarded);
    const { plan } = await confirm(guarded, { digest: diff.digest });
    expect(plan).toHaveLength(2);
    const { entries } = await listEntries(guarded.app.tables, GROUP);
    expect(entries.map((entry) => entry.allocation)).toMatchObject([
      { provenance: "baseline", owner: "ops", reason: "as it was", by: "admin", seenAt: START },
      { provenance: "baseline", owner: "ops" },
    ]);
    expect(entries.map((entry) => entry.allocation?.description).sort()).toEqual(["by hand 443", "by hand 80"]);
    const after = await getGroup(guarded.app, guarded.caller("admin").policy, "sg-web");
    expect(after).toMatchObject({ acts: "enforce", why: [], baseline: { confirmedBy: "admin", count: 2 } });
    await guarded.look();
    expect((await guarded.drift()).items).toEqual([]);
    expect(guarded.world.changes).toEqual([]);
  });

  test("again after rules went and came retires and takes in", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
    await guarded.confirm();
    guarded.world.rules = [ruleOf(443), ruleOf(8443)];
    const { diff, plan } = await preview(guarded);
    expect(plan.map((line) => line.split(" ")[0])).toEqual(["allocate", "retire"]);
    await confirm(guarded, { digest: diff.digest });
    expect(groupsOf((await preview(guarded)).diff)).toEqual({ ...NOTHING, unchanged: [443, 8443] });
  });

  test("heals a ledger that is not the confirmed one", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    await guarded.confirm();
    const [entry] = (await listEntries(guarded.app.tables, GROUP)).entries;
    if (entry) await saveEntry(guarded.app.tables, { ...entry, allocation: null });
    const { policy } = guarded.caller("admin");
    const [group] = (await listGroups(guarded.app, policy)).groups;
    expect(group).toMatchObject({
      guard: "enforce",
      acts: "observe",
      why: [expect.stringContaining("confirm it anew")],
    });
    await guarded.confirm();
    expect(await getGroup(guarded.app, policy, "web")).toMatchObject({ acts: "enforce" });
  });

  test("in a dry run tells the plan and writes nothing", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    const { diff } = await preview(guarded);
    const before = guarded.world.writes();
    expect((await confirm(guarded, { digest: diff.digest }, { dryRun: true })).plan).toHaveLength(1);
    expect(guarded.world.writes()).toBe(before);
  });

  test.each<[string, (guarded: GuardedApp) => Promise<void>]>([
    ["a rule came", async ({ world }) => void world.rules.push(ruleOf(8081))],
    ["a rule went", async ({ world }) => void world.rules.pop()],
    [
      "the ledger changed",
      async ({ app }) => {
        const allocation = { ...anAllocation, owner: "eve" };
        await changeAllocations(app, GROUP, "eve", [{ spec: specOf(80), allocation }]);
      },
    ],
  ])("is refused when meanwhile %s", async (_what, meanwhile) => {
    const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
    const { diff } = await preview(guarded);
    await meanwhile(guarded);
    await expect(confirm(guarded, { digest: diff.digest })).rejects.toMatchObject({ code: "BASELINE_CHANGED" });
    expect((await getGroupRow(guarded.app.tables, GROUP)).baseline).toBeNull();
  });

  test("needs the word for each sensitive port that everybody reaches, also for what it keeps", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(22, "0.0.0.0/0"), ruleOf(3389, "::/0"), ruleOf(80)]);
    const keys = [ruleKey(specOf(22, "0.0.0.0/0")), ruleKey(specOf(3389, "::/0"))];
    const { digest } = (await preview(guarded)).diff;
    for (const sensitive of [[], keys.slice(0, 1), keys.slice(1)])
      await expect(confirm(guarded, { digest, sensitive })).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
    await confirm(guarded, { digest, sensitive: keys });
    const again = (await preview(guarded)).diff.digest;
    await expect(confirm(guarded, { digest: again })).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
  });

  test("needs the word for each piece of what is the world together", async () => {
    const pieces = ["1.0.0.0/8", "3.0.0.0/8"].map((block, index) =>
      ruleOf(22, block, { id: `sgr-piece-${index}` as RuleId }),
    );
    const guarded = await guardedApp("enforce", [...pieces, ruleOf(3306, "5.0.0.0/8")]);
    const { digest } = (await preview(guarded)).diff;
    const keys = pieces.map((rule) => ruleKey(rule));
    const one = { digest, sensitive: keys.slice(1) };
    await expect(confirm(guarded, one)).rejects.toMatchObject({
      code: "SENSITIVE_UNCONFIRMED",
      detail: { rules: keys[0] },
    });
    await confirm(guarded, { digest, sensitive: keys });
  });

  describe("of a prefix list on a sensitive port", () => {
    const listed = (port: number, listId: string): Rule => ({
      ...ruleOf(port),
      peer: { kind: "prefixList", prefixListId: listId },
    });
    const holding = async (prefixes: App["inventory"]["prefixes"]): Promise<GuardedApp> => {
      const guarded = await guardedApp("enforce", [listed(22, "pl-1"), listed(443, "pl-2")]);
      const { app } = guarded;
      return { ...guarded, app: { ...app, inventory: { ...app.inventory, prefixes } } };
    };

    test("needs the word for it, which knows what it holds, and is told that others may change that", async () => {
      const asked: ListRef[] = [];
      const guarded = await holding(async (list) => {
        asked.push(list);
        return [aCidr("203.0.113.0/24"), aCidr("0.0.0.0/0")];
      });
      const { diff, notes } = await preview(guarded);
      expect(asked).toEqual([{ region: GROUP.region, kind: "prefix", listId: "pl-1" }]);
      expect(diff.added).toMatchObject([
        { sensitive: true, blocks: ["0.0.0.0/0", "203.0.113.0/24"] },
        { sensitive: false, blocks: null },
      ]);
      expect(notes).toEqual([
        expect.stringContaining("the list pl-1 holds 0.0.0.0/0, 203.0.113.0/24 now, and whoever"),
      ]);
      const { digest } = diff;
      await expect(confirm(guarded, { digest })).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
      await confirm(guarded, { digest, sensitive: diff.added.slice(0, 1).map(({ key }) => key) });
      const { records } = await listRecords(guarded.app.tables, { limit: 10, before: null });
      expect(records.flatMap(({ lines }) => lines).join("\n")).toContain("the list pl-1 holds 0.0.0.0/0");
    });

    test("is refused where the list has changed since it was looked at", async () => {
      const blocks = [aCidr("203.0.113.0/24")];
      const guarded = await holding(async () => blocks);
      const { diff } = await preview(guarded);
      blocks.push(aCidr("0.0.0.0/0"));
      const word = { digest: diff.digest, sensitive: diff.added.map(({ key }) => key) };
      await expect(confirm(guarded, word)).rejects.toMatchObject({ code: "BASELINE_CHANGED" });
    });

    test("is possible where we may not read the list, and says so; a cloud that is away is asked again", async () => {
      const failing = (kind: "refused" | "throttled") =>
        holding(() => Promise.reject(new CloudFailure(kind, "DescribePrefixListAttributes")));
      const { diff, notes } = await preview(await failing("refused"));
      expect(diff.added[0]).toMatchObject({ sensitive: true, blocks: null });
      expect(notes[0]).toContain("holds nobody can tell here what");
      await expect(preview(await failing("throttled"))).rejects.toThrow(CloudFailure);
    });
  });

  test("of a group that shows no rule while its ledger has entries is refused", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    await guarded.confirm();
    guarded.world.rules = [];
    await expect(preview(guarded)).rejects.toMatchObject({ code: "BASELINE_EMPTY" });
  });

  test("of a group without rules and entries is a baseline of nothing", async () => {
    const guarded = await guardedApp("enforce", []);
    await guarded.confirm();
    expect((await getGroupRow(guarded.app.tables, GROUP)).baseline).toMatchObject({ count: 0 });
  });

  test("of a ledger with a row that cannot be read is refused", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    await guarded.app.tables.put("ledger", [GROUP.groupId, "e-broken"], { body: "{", rev: 1 }, { kind: "none" });
    await expect(preview(guarded)).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  });

  test("of a group the policy denies is refused", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    const { digest } = (await preview(guarded)).diff;
    const admin = guarded.caller("admin");
    const policy = { ...admin.policy, groups: { ...admin.policy.groups, denied: ["sg-web"] } };
    await expect(confirm(guarded, { digest }, { dryRun: false }, { ...admin, policy })).rejects.toMatchObject({
      code: "GROUP_PROTECTED",
    });
  });
});

describe("a template", () => {
  const { templates } = defaultPolicy("cn-hangzhou");
  const operators = ["198.51.100.0/24"];
  const withOperators = {
    templates: {
      default: (templates["default"] ?? []).map((rule) => ({
        ...rule,
        sources: rule.sources.length > 0 ? rule.sources : operators,
      })),
    },
  };

  test("opens its rules in a new group, and the group is enforced by them", async () => {
    const guarded = await guardedApp("enforce", []);
    const admin = guarded.caller("admin");
    const caller = { ...admin, policy: { ...admin.policy, ...withOperators } };
    const { diff, plan } = await previewBaseline(guarded.app, caller, "web", TEMPLATE);
    expect(portsOf(diff.added).sort((a, b) => a - b)).toEqual([22, 80, 443, 2048, 3389]);
    expect(plan[0]).toContain("and open it");
    await confirm(guarded, { ...TEMPLATE, digest: diff.digest }, { dryRun: false }, caller);
    await guarded.look();
    expect(guarded.ports()).toEqual([22, 80, 443, 2048, 3389]);
    const { entries } = await listEntries(guarded.app.tables, GROUP);
    expect(entries.find((entry) => entry.key.includes("|80/"))?.allocation).toMatchObject({
      provenance: "template",
      reason: "HTTP",
    });
    expect(await getGroup(guarded.app, admin.policy, "web")).toMatchObject({ acts: "enforce" });
  });

  test("says of a rule without sources that it is left out, and of other rules that they would be drift", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(80, "0.0.0.0/0"), ruleOf(9000)]);
    const { diff, notes } = await preview(guarded, TEMPLATE);
    expect(groupsOf(diff)).toEqual({ ...NOTHING, added: [443, 80], ungranted: [9000] });
    expect(notes).toHaveLength(3);
    expect(diff.added.map((line) => line.stands)).toEqual([false, true]);
  });

  test("that the policy does not have is unknown, whatever every object has", async () => {
    const guarded = await guardedApp("enforce", []);
    for (const template of ["none", "constructor"]) {
      const asked = previewBaseline(guarded.app, guarded.caller("admin"), "web", { from: "template", template });
      await expect(asked).rejects.toMatchObject({ code: "TEMPLATE_UNKNOWN" });
    }
  });
});

describe("the guard of a tag", () => {
  const lower = (guarded: GuardedApp, guard: "none" | "observe", dryRun = false) =>
    confirmGuard(guarded.app, guarded.caller("admin"), "web", guard, { dryRun });

  test("is lowered by a person's word, and not by a dry run", async () => {
    const guarded = await guardedApp("none", []);
    const row = await getGroupRow(guarded.app.tables, GROUP);
    await saveGroupRow(guarded.app.tables, { ...row, tagGuard: "observe" });
    expect(await getGroup(guarded.app, guarded.caller("admin").policy, "web")).toMatchObject({ guard: "observe" });
    expect((await lower(guarded, "none", true)).group.guard).toBe("observe");
    const { plan, group } = await lower(guarded, "none");
    expect([plan, group.guard, group.why]).toEqual([["lower the guard by tag from observe to none"], "none", []]);
    expect((await lower(guarded, "none")).plan).toEqual([]);
  });

  test("stays while the tag asks for it", async () => {
    const guarded = await guardedApp("none", [], { "safeport:guard": "observe" });
    await guarded.look();
    expect((await lower(guarded, "none")).group.guard).toBe("observe");
  });

  test("is never raised by it", async () => {
    const guarded = await guardedApp("none", []);
    expect((await lower(guarded, "observe")).plan).toEqual([]);
    expect((await getGroupRow(guarded.app.tables, GROUP)).tagGuard).toBe("none");
  });
});

const anAllocation: Allocation = {
  provenance: "adopted",
  owner: "ann",
  application: "",
  reason: "",
  ticket: "",
  allowedSources: [],
  openHours: null,
  description: "",
  by: "ann",
  at: START,
  seenAt: START,
};
