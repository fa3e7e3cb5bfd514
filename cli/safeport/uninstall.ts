// `safeport uninstall`: first everything that safeport opened or closed for a time is over, then what setup made goes.
import { formatUtc } from "../../shared/domain/instant.ts";
import { RECORDS_FLOOR_DAYS, stampOf } from "../../shared/domain/record-chain.ts";
import { KEPT_TABLES as APPENDED } from "../../shared/ports/tables.ts";
// biome-ignore-start lint/style/noRestrictedImports: the state is looked through before it goes, when there is no API any more.
import { listRecords } from "../../shared/store/records.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { stateOf } from "../setup/installation-steps.ts";
import type { Step } from "../setup/steps.ts";
import { type Account, accountOf, stepsOf } from "./account.ts";
import { type Api, ApiError, apiOf } from "./api.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";
import { ownFunctions } from "./deployed-functions.ts";
import { type Held, heldRules } from "./held-rules.ts";
import {
  listInWords,
  ownLists,
  ownRules,
  refuseTablesOfOthers,
  refuseUnfitTables,
  removeLists,
  unlessGone,
} from "./own-rules.ts";

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** A lease, a lockdown or a rule in the recycling queue. */
interface Item {
  readonly id: string;
  readonly state: string;
}

/** What a lease has to be in, for nothing of it to stand. */
const OVER = ["closed", "denied", "lapsed", "cancelled", "failed"];
/** What happened, and to whom rules were given: kept unless it is told to go. */
const KEPT_TABLES = ["record", "seal", "history", "drift"];
/** The table that says whose they are. */
const CLAIMED_IN = "table due";
const NOTHING_HELD: Held = { rules: [], unreadable: [] };
const CLOSE_WAIT_MS = 300_000;

export const uninstall: Command = {
  name: "uninstall",
  summary: "close everything, then remove what setup made",
  help: `Usage: safeport uninstall --plan | --close | --state [--records] [--force] [--json]

  --plan      show what is open and what would be removed
  --close     lift every quarantine and lockdown, wait until every rule they had closed is open again, set the mode to
              close-only, end every lease, wait until no rule of this installation stands, and remove its prefix lists
              and the alarms
  --state     after \`s remove\`: remove the tables and the role. Refused while the functions are there, a rule of this
              installation stands, or one that a lockdown or the recycling has closed is to be opened again
  --records   with --state: remove the records and the history too; they are kept otherwise. Records stay while one of
              them is younger than ${RECORDS_FLOOR_DAYS} days
  --force     with --state: give up the rules that are to be opened again, whatever cannot be read, and what an import that
              was cut has left

It may be interrupted and run again. Exit code 3: something is still open.
--plan and --close read SAFEPORT_API and SAFEPORT_TOKEN (an admin's); all read what safeport setup reads.
`,
  async run(args, surroundings) {
    const { values } = readArguments(args, {
      plan: { type: "boolean", default: false },
      close: { type: "boolean", default: false },
      state: { type: "boolean", default: false },
      records: { type: "boolean", default: false },
      force: { type: "boolean", default: false },
    });
    const asked = ["plan", "close", "state"].filter((name) => values[name] === true);
    if (asked.length !== 1) throw new UsageError("say one of --plan, --close and --state");
    if (values["force"] === true && asked[0] !== "state") throw new UsageError("--force goes with --state alone");
    const account = accountOf(surroundings);
    if (asked[0] === "plan") return plan(surroundings, account, values);
    return asked[0] === "close" ? close(surroundings, account, values) : removeState(surroundings, account, values);
  },
};

async function plan(surroundings: Surroundings, account: Account, values: Values): Promise<number> {
  const api = apiOf(surroundings);
  const leases = await liveLeases(api);
  const { lockdowns, quarantined } = await closedNow(api);
  const rules = [...(await ownRules(account)), ...(await ownLists(account)).map(listInWords)];
  const held = await heldRules(account);
  const steps = removals(surroundings, account, values);
  const ids = (items: readonly Item[]): readonly string[] => items.map(({ id }) => id);
  const closed = { lockdowns: ids(lockdowns), quarantined: ids(quarantined) };
  const json = { leases: ids(leases), ...closed, rules, held: held.rules, removes: steps.map(({ id }) => id) };
  const lines = [
    ...json.lockdowns.map((id) => `would lift the lockdown ${id}`),
    ...json.quarantined.map((id) => `would give back the quarantined ${id}`),
    ...json.held.map((rule) => `would see opened: ${rule}`),
    ...json.leases.map((id) => `would end the lease ${id}`),
    ...rules.map((rule) => `would see closed: ${rule}`),
    ...json.removes.map((id) => `would remove ${id}`),
  ];
  tell(surroundings, values, { json, lines });
  return EXIT.ok;
}

async function close(surroundings: Surroundings, account: Account, values: Values): Promise<number> {
  const api = apiOf(surroundings);
  const { err, clock } = surroundings;
  const until = clock.now() + CLOSE_WAIT_MS;
  await wantNoLists(api, surroundings);
  for (;;) {
    // Again each time: an alarm may close ports while this runs, in every mode.
    await lift(api, surroundings, account, until);
    await api.call("PUT", "/v1/mode", { mode: "close-only", reason: "safeport is being uninstalled" });
    const leases = await liveLeases(api);
    for (const { id, state } of leases) {
      if (state === "closing") continue;
      err(`ending ${id}\n`);
      await unlessOver(() => api.call("POST", `/v1/leases/${id}:end`));
    }
    await api.call("PUT", "/safeport/cleanup");
    const standing = await ownRules(account);
    const lists = await ownLists(account);
    if (leases.length === 0 && standing.length === 0) {
      // The sweep takes them away where its role may; here the operator's keys do.
      await removeLists(account, lists);
      break;
    }
    const rules = [...standing, ...lists.map(listInWords)];
    err(`${leases.length} leases are not over, ${rules.length} rules and lists stand\n`);
    if (clock.now() >= until) {
      const left = { leases: leases.map(({ id }) => id), rules };
      const lines = [
        ...left.leases.map((id) => `not over: ${id}`),
        ...rules.map((rule) => `stands: ${rule}`),
        "Look at GET /v1/health and the records, and run it again: it goes on where it stopped.",
      ];
      tell(surroundings, values, { json: { closed: false, ...left }, lines });
      return EXIT.waiting;
    }
    await clock.sleep(2000);
  }
  for (const step of alarmsOf(surroundings, account)) await step.remove?.();
  const lines = ["Nothing of safeport stands any more.", "Now run: s remove, and then: safeport uninstall --state"];
  tell(surroundings, values, { json: { closed: true, leases: [], rules: [] }, lines });
  return EXIT.ok;
}

async function removeState(surroundings: Surroundings, account: Account, values: Values): Promise<number> {
  const { err } = surroundings;
  // A part of a state does not tell all that stands or is held back.
  await (values["force"] === true ? refuseTablesOfOthers : refuseUnfitTables)(account);
  // A sweep that still runs would make the tables again.
  const still = await ownFunctions(surroundings, account);
  if (still.length > 0)
    throw new Error(`${still.join(", ")} still stand. Run safeport uninstall --close and s remove first.`);
  const rules = await ownRules(account);
  const held = values["force"] === true ? NOTHING_HELD : await heldRules(account);
  if (rules.length + held.rules.length + held.unreadable.length > 0) {
    const json = { removed: [], rules, held: held.rules, unreadable: held.unreadable };
    tell(surroundings, values, { json, lines: refusalOf(rules, held) });
    return EXIT.waiting;
  }
  const lists = await ownLists(account);
  await removeLists(account, lists);
  const removed: string[] = lists.map(listInWords);
  const keptUntil = values["records"] === true ? await recordsKeptUntil(account) : null;
  for (const step of removals(surroundings, account, values)) {
    if (keptUntil !== null && APPENDED.some((name) => step.id === `table ${name}`)) continue;
    err(`removing ${step.id}\n`);
    await step.remove?.();
    removed.push(step.id);
  }
  const lines = removed.map((id) => `removed ${id}`);
  if (keptUntil === null) {
    tell(surroundings, values, { json: { removed, rules }, lines });
    return EXIT.ok;
  }
  const until = formatUtc(keptUntil);
  const kept = `kept the records: the youngest may go from ${until} on. They go by themselves, or run it again then.`;
  tell(surroundings, values, { json: { removed, rules, recordsKeptUntil: until }, lines: [...lines, kept] });
  return EXIT.waiting;
}

function refusalOf(rules: readonly string[], held: Held): readonly string[] {
  const isHeld = held.rules.length + held.unreadable.length > 0;
  return [
    ...rules.map((rule) => `stands: ${rule}`),
    ...held.rules.map((rule) => `is to be opened again: ${rule}`),
    ...held.unreadable.map((key) => `cannot be read: the row ${key} of the ledger, which may keep such a rule`),
    "Nothing was removed: without its state nobody would close or open them. Deploy again and run safeport uninstall --close.",
    ...(isHeld
      ? ["What you have opened by hand is not waited for. --force gives up what is closed or cannot be read."]
      : []),
  ];
}

/** Until when records are younger than the floor; null where none is. */
async function recordsKeptUntil(account: Account): Promise<number | null> {
  const page = await unlessGone(listRecords(stateOf(account), { limit: 1, before: null }));
  const [youngest] = page?.records ?? [];
  const until = youngest === undefined ? 0 : stampOf(youngest.sequence) + RECORDS_FLOOR_DAYS * 86_400_000;
  return until > account.clock.now() ? until : null;
}

/**
 * What is removed, last made first: no step leaves something that cannot be found by the next run. The table that says whose all of them
 * are goes after the others, so that what a run leaves half is still nobody else's.
 */
function removals(surroundings: Surroundings, account: Account, values: Values): readonly Step[] {
  const { role, tables } = stepsOf(surroundings, account);
  const isKept = ({ id }: Step): boolean =>
    values["records"] !== true && KEPT_TABLES.some((name) => id === `table ${name}`);
  const going = tables.filter((step) => !isKept(step));
  const isClaim = ({ id }: Step): boolean => id === CLAIMED_IN;
  const claimLast = [...going.filter((step) => !isClaim(step)), ...going.filter(isClaim)];
  return [...alarmsOf(surroundings, account), ...claimLast, ...[...role].reverse()];
}

/** The rules of an installation have fixed names, whoever they are told to. */
const alarmsOf = (surroundings: Surroundings, account: Account): readonly Step[] =>
  stepsOf(surroundings, account, { contacts: "-" }).alarms;

async function liveLeases(api: Api): Promise<readonly Item[]> {
  const live: Item[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { readonly leases: readonly Item[]; readonly next: string | null } = await api.call(
      "GET",
      `/v1/leases?limit=200${query}`,
    );
    live.push(...page.leases.filter(({ state }) => !OVER.includes(state)));
    cursor = page.next;
  } while (cursor !== null);
  return live;
}

async function standingLockdowns(api: Api): Promise<readonly Item[]> {
  const standing: Item[] = [];
  let cursor: string | null = null;
  do {
    const query = cursor === null ? "" : `&cursor=${cursor}`;
    const page: { readonly lockdowns: readonly Item[]; readonly next: string | null } = await api.call(
      "GET",
      `/v1/lockdown?limit=100${query}`,
    );
    standing.push(...page.lockdowns.filter(({ state }) => state !== "lifted"));
    cursor = page.next;
  } while (cursor !== null);
  return standing;
}

/** What was closed for a time: lockdowns, and ports in quarantine. */
interface Closed {
  readonly lockdowns: readonly Item[];
  readonly quarantined: readonly Item[];
}

async function closedNow(api: Api): Promise<Closed> {
  const lockdowns = await standingLockdowns(api);
  const page: { readonly recycling: readonly Item[] } = await api.call(
    "GET",
    "/v1/recycling?state=quarantined&limit=200",
  );
  return { lockdowns, quarantined: page.recycling };
}

/** Whatever was closed for a time is opened again, which no mode but `normal` lets be: a run before this one may have left another. */
async function lift(api: Api, { err, clock }: Surroundings, account: Account, until: number): Promise<void> {
  /** What nobody can be given back, as its group is gone; the nightly job takes it out of the queue. */
  const lost = new Set<string>();
  for (;;) {
    const closed = await closedNow(api);
    const { lockdowns } = closed;
    const quarantined = closed.quarantined.filter(({ id }) => !lost.has(id));
    const { rules } = await heldRules(account);
    if (lockdowns.length + quarantined.length + rules.length === 0) return;
    if (clock.now() >= until)
      throw new Error(
        `Not every lockdown and quarantine could be lifted. ${rules.map((rule) => `To be opened again: ${rule}. `).join("")}Look at GET /v1/lockdown and the records, and run it again.`,
      );
    for (const rule of rules) err(`to be opened again: ${rule}\n`);
    const reason = "what was closed for a time is given back, because safeport is being uninstalled";
    await api.call("PUT", "/v1/mode", { mode: "normal", reason });
    for (const { id } of lockdowns) {
      err(`lifting ${id}\n`);
      await api.call("POST", `/v1/lockdown/${id}:lift`);
    }
    for (const { id } of quarantined) {
      err(`restoring ${id}\n`);
      try {
        await api.call("POST", `/v1/recycling/${id}:restore`, {});
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "RECYCLING_RESTORE_IMPOSSIBLE") throw error;
        err(`${error.message}\n`);
        lost.add(id);
      }
    }
    await api.call("PUT", "/safeport/cleanup");
    await clock.sleep(2000);
  }
}

async function unlessOver(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "LEASE_ENDED") throw error;
  }
}

/** The policy wants no drops on lists any more: a job takes the rules away, and then the lists. */
async function wantNoLists(api: Api, { err }: Surroundings): Promise<void> {
  const { version: base, policy } = await api.call<{
    readonly version: number;
    readonly policy: { readonly lockdown?: { readonly prefixLists?: readonly unknown[] } };
  }>("GET", "/v1/policy");
  if ((policy.lockdown?.prefixLists ?? []).length === 0) return;
  err("taking lockdown.prefixLists out of the policy\n");
  const without = { ...policy, lockdown: { ...policy.lockdown, prefixLists: [] } };
  await api.call("PUT", "/v1/policy", { policy: without, base, reason: "safeport is being uninstalled" });
}
