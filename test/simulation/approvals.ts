// Feature: ports that need a second person. People ask, approve, deny, let it lapse, break the glass, and try to be their own second person.
import { formatLink } from "../../shared/domain/approval-link.ts";
import type { LeaseId } from "../../shared/domain/ids.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { decideByLink } from "../../shared/usecases/approval/decide-by-link.ts";
import { decideLease } from "../../shared/usecases/approval/decide-lease.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import type { LeaseAnswer } from "../../shared/usecases/lease/lease-answer.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import type { Dice } from "../kit/schedule.ts";
import type { Feature, Move } from "./feature.ts";
import { type Grant, type SaidWord, wordsFor } from "./observed.ts";
import { ENFORCED, GROUPS, NAMES, SETTINGS } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { pause, TRIES_MS } from "./workload.ts";

const DECIDE_WITHIN_MS = 15 * 60_000;
const USE_WITHIN_MS = 60_000;
/** A port that somebody owns in the enforced group, and ports that nobody owns. */
const OWNED = "9090";
const PORTS = ["5400", "5401", OWNED];
/** Who owns what stands in the enforced group; `prepare` says so when it confirms the baseline. */
const OWNER = "ops";
const BREAKS_GLASS = "ben";

/** A request, what is known of it, and how its answers are taken in. */
interface Request {
  readonly grant: Grant;
  readonly periodMs: number;
  /** Null until somebody was told of it. */
  change: string | null;
  hear(answer: LeaseAnswer): void;
}

type Speak = (world: SimWorld, request: Request, dice: Dice) => Promise<void>;

const leaseIdOf = ({ grant }: Request): LeaseId => grant.leaseId as LeaseId;

/** Says the word until it is taken; what comes of it may come later than the last try. */
async function say(
  world: SimWorld,
  request: Request,
  person: string,
  decision: SaidWord["decision"],
  act: (app: App) => Promise<LeaseAnswer>,
): Promise<void> {
  const word: SaidWord = { person, decision, from: world.now(), to: Number.POSITIVE_INFINITY, heardAt: null };
  request.grant.second?.words.push(word);
  const isTaken = await world.platform.start(decision, async (app) => request.hear(await act(app)), 5);
  word.to = world.now();
  if (isTaken) word.heardAt = world.now();
}

const byApi =
  (caller: Caller, request: Request, decision: SaidWord["decision"], change = request.change) =>
  (app: App): Promise<LeaseAnswer> =>
    decideLease(
      app,
      caller,
      leaseIdOf(request),
      { decision, reason: "as asked", change, via: "api" },
      { dryRun: false },
    );

const second =
  (decision: SaidWord["decision"]): Speak =>
  (world, request, dice) => {
    const person = dice.pick(["kim", "lee"]);
    const act = (app: App) => byApi(world.asker(person, "approver"), request, decision)(app);
    return say(world, request, person, decision, act);
  };

/** What is no second person's word: tried, and not to lead to anything. */
const notTheirs =
  (name: string, act: (world: SimWorld, request: Request) => (app: App) => Promise<LeaseAnswer>): Speak =>
  async (world, request) => {
    await world.platform.start(name, (app) => act(world, request)(app), 2);
  };

const theirOwn = notTheirs("approve their own", (world, request) =>
  byApi(world.asker(request.grant.principal, "approver"), request, "approve"),
);

const underAnotherName = notTheirs("approve under another name", (world, request) =>
  byApi(world.asker(`${request.grant.principal}-laptop`, "approver"), request, "approve"),
);

/** By a token that whoever asked has issued, to a robot of their own or in a stranger's name. */
const byTheirToken = notTheirs("approve by a token of their own", (world, request) =>
  byApi({ ...world.asker("robot", "approver"), issuers: [request.grant.principal] }, request, "approve"),
);

const withoutTheRole = notTheirs("approve without the role", (world, request) =>
  byApi(world.asker("eve"), request, "approve"),
);

const anotherChange = notTheirs("approve another change", (world, request) =>
  byApi(world.asker("kim", "approver"), request, "approve", "0".repeat(64)),
);

/** What somebody makes up who has seen a link of another request. */
const forgedLink = notTheirs("forged link", (world, request) => {
  const link = { leaseId: leaseIdOf(request), person: OWNER, expiresAt: world.now() + DECIDE_WITHIN_MS };
  const text = formatLink(link, { change: request.change ?? "", secret: "what somebody made up" });
  return (app) => decideByLink(app, { policy: world.policy }, text, { decision: "approve", reason: "" });
});

/** The owner's own link, from the message; used twice. */
const ownersLink: Speak = async (world, request, dice) => {
  const { change, grant } = request;
  if (grant.groupId !== ENFORCED.groupId || !grant.rule.includes(OWNED) || change === null)
    return second("approve")(world, request, dice);
  const link = { leaseId: leaseIdOf(request), person: OWNER, expiresAt: grant.second?.lapsesAt ?? 0 };
  const text = formatLink(link, { change, secret: SETTINGS.markSecret });
  const decision = dice.pick(["approve", "approve", "deny"] as const);
  const use = (said: SaidWord["decision"]) => (app: App) =>
    decideByLink(app, { policy: world.policy }, text, { decision: said, reason: "" });
  await say(world, request, OWNER, decision, use(decision));
  await pause(world, dice);
  // Whoever finds the message later uses it once more.
  if (dice.happens(0.5)) await world.platform.start("link again", use("approve"), 2);
};

/** In the last moments in which it may be decided, and right after them. */
const atTheLast: Speak = async (world, request, dice) => {
  const lapsesAt = request.grant.second?.lapsesAt ?? 0;
  await world.schedule.sleep(Math.max(0, lapsesAt - world.now() + dice.between(-2_000, 50_000)));
  await second("approve")(world, request, dice);
};

const takenBack: Speak = async (world, request) => {
  const { grant } = request;
  // Whoever asked again for what waits already has the same lease.
  const same = world.grants.filter((it) => it.leaseId === grant.leaseId);
  for (const it of same) it.openedAt = null;
  const act = (app: App): Promise<unknown> =>
    endLease(app, world.asker(grant.principal), leaseIdOf(request), { dryRun: false });
  if (await world.platform.start("take back", act, 5)) for (const it of same) it.endedAt = world.now();
};

const SPEAKING: readonly Speak[] = [
  ...[second("approve"), second("approve"), second("deny"), ownersLink, ownersLink, atTheLast, takenBack],
  ...[theirOwn, underAnotherName, byTheirToken, byTheirToken, withoutTheRole, anotherChange, forgedLink],
];

/** Somebody asks for a port that needs a second person, and some people say something about it. */
const asking: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const principal = dice.pick(["ann", "ben"]);
  const source = dice.pick(["203.0.113.7", "203.0.113.8"]);
  const port = dice.pick(PORTS);
  const periodMs = dice.pick([60, 120, 300]) * 1000;
  const breakGlass = dice.happens(0.2);
  const isAtOnce = breakGlass && principal === BREAKS_GLASS;
  const grant: Grant = {
    leaseId: null,
    principal,
    groupId: group.groupId,
    rule: wordsFor(port, source),
    askedAt: world.now(),
    until: Number.POSITIVE_INFINITY,
    promised: 0,
    openedAt: null,
    endedAt: null,
    rides: false,
    breaksGlass: isAtOnce,
    second: isAtOnce
      ? null
      : { lapsesAt: world.now() + TRIES_MS + DECIDE_WITHIN_MS, useWithinMs: USE_WITHIN_MS, words: [] },
  };
  world.grants.push(grant);
  const request: Request = {
    grant,
    periodMs,
    change: null,
    hear: ({ lease: { request: asked, status, approval } }) => {
      grant.leaseId = asked.leaseId;
      if (approval !== null) {
        request.change = approval.change;
        // By the clock of the machine that took the request.
        if (grant.second !== null) Object.assign(grant.second, { lapsesAt: approval.lapsesAt });
      }
      if (status.state !== "open") return;
      grant.promised = status.until;
      grant.openedAt ??= world.now();
      for (const watch of world.watchers.opened) watch(grant);
    },
  };
  const ask = {
    ...{ protocol: "tcp", port, sources: [source], group: NAMES[group.groupId] ?? null, instance: null, region: null },
    ...{ periodMs, reason: "the shop is down", ticket: "", startAt: null, breakGlass },
  };
  const idempotencyKey = `${world.seed}-${world.grants.length}`;
  const mode = dice.happens(0.3) ? "repeat" : "create";
  const open = async (app: App): Promise<void> =>
    request.hear(await openLease(app, world.asker(principal), ask, { mode, idempotencyKey, dryRun: false }));
  await world.platform.start("ask", open, 6);
  const askedBy = world.now();
  if (grant.leaseId !== null)
    for (let words = dice.between(0, 4); words > 0; words--) {
      await pause(world, dice);
      await dice.pick(SPEAKING)(world, request, dice);
    }
  // What nobody was told of may have been booked all the same, and a word that nobody heard the end of may have been taken.
  const last = Math.max(askedBy, ...(grant.second?.words ?? []).map((word) => word.to));
  grant.until = last + TRIES_MS + USE_WITHIN_MS + periodMs;
};

export const approvals: Feature = {
  chance: 0.4,
  policy: {
    approval: { ports: PORTS, decideWithin: DECIDE_WITHIN_MS / 1000, useWithin: USE_WITHIN_MS / 1000 },
    breakGlass: { persons: [BREAKS_GLASS], periodMax: 300 },
    persons: { ann: ["ann", "ann-laptop"], ben: ["ben", "ben-laptop"] },
  },
  moves: [[1, asking]],
};
