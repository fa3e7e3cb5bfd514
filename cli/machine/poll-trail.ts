// Calls that somebody made to the account, asked of its trail again and again: on one machine no events arrive.
import { readFileSync } from "node:fs";
import type { Clock } from "../../shared/ports/clock.ts";
import { writeWhole } from "../setup/secret-files.ts";

/** One record of the trail, as it has it. */
type TrailEvent = Readonly<Record<string, unknown>>;

export interface PollOptions {
  readonly clock: Clock;
  /** Whose trail it is: an event that is looked up need not say so itself. */
  readonly accountId: string;
  /** One page of the events of a span, oldest first. */
  readonly lookUp: (
    region: string,
    parameters: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>;
  /** Asked before each round. */
  readonly regions: () => Promise<readonly string[]>;
  /** Takes records over for good. */
  readonly deliver: (events: readonly TrailEvent[]) => void;
  readonly warn: (text: string) => void;
  /** Told why the place could not be kept; the next round tries again. */
  readonly onUnwritable: (error: unknown) => void;
  /** Where it is kept up to when the trail was read. */
  readonly file: string;
  readonly everyMs: number;
}

/** An event may take ten minutes until it can be looked up. */
const LATE_MS = 15 * 60_000;
/** After a long stop the full pass finds what is different; who did it is asked for one by one. */
const BACK_MAX_MS = 86_400_000;
const PER_PAGE = 50;
const PAGES_MAX = 60;
/** An asynchronous call takes 128 KB. */
const BATCH_BYTES = 96 * 1024;
const SEEN_MAX = 50_000;

/** Runs until the returned function is called, which resolves when the round that runs has ended. */
export function pollTrail(options: PollOptions): () => Promise<void> {
  const { clock, warn, everyMs, onUnwritable } = options;
  const seen = new Set<string>();
  let readUntil = startOf(options.file, clock.now());
  let isStopped = false;

  const round = async (): Promise<void> => {
    const until = clock.now();
    // A clock that was ahead and was set back has read to no later than now.
    const from = Math.max(Math.min(readUntil, until) - LATE_MS, until - BACK_MAX_MS);
    let isRead = true;
    for (const region of await options.regions())
      try {
        deliverFresh(await eventsOf(region, from, until, options));
      } catch (error) {
        isRead = false;
        warn(`the trail of ${region} could not be read: ${wordsOf(error)}`);
      }
    forgetOldest(seen);
    // All are asked for the same once more, and what has been seen counts once.
    if (!isRead) return;
    readUntil = until;
    try {
      writeWhole(options.file, `${JSON.stringify({ until })}\n`);
    } catch (error) {
      onUnwritable(error);
    }
  };
  const deliverFresh = (events: readonly TrailEvent[]): void => {
    const fresh = events.filter((event) => {
      const id = String(event["eventId"] ?? "");
      if (id === "" || seen.has(id)) return false;
      seen.add(id);
      return isOfEcs(event);
    });
    const told = fresh.map((event) => ({ recipientAccountId: options.accountId, ...event }));
    for (const batch of batchesOf(told)) options.deliver(batch);
  };
  const rounds = async (): Promise<void> => {
    while (!isStopped) {
      try {
        await round();
      } catch (error) {
        warn(`the trail could not be read: ${wordsOf(error)}`);
      }
      // In steps, so that a stop need not wait for the next round.
      for (let waited = 0; waited < everyMs && !isStopped; waited += 250) await clock.sleep(250);
    }
  };
  const running = rounds();
  return async () => {
    isStopped = true;
    await running;
  };
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function eventsOf(
  region: string,
  from: number,
  until: number,
  { lookUp, warn }: PollOptions,
): Promise<readonly TrailEvent[]> {
  const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const asked = {
    StartTime: seconds(from),
    EndTime: seconds(until),
    Direction: "FORWARD",
    MaxResults: `${PER_PAGE}`,
    // One attribute alone is sure to be taken, and reads, our own above all, would be most of a service's events.
    LookupAttribute: [{ Key: "EventRW", Value: "Write" }],
  };
  const found: TrailEvent[] = [];
  let next: unknown;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await lookUp(region, { ...asked, ...(next === undefined ? {} : { NextToken: next }) });
    if (Array.isArray(answer["Events"])) found.push(...(answer["Events"] as TrailEvent[]));
    next = answer["NextToken"] || undefined;
    if (next === undefined) return found;
  }
  warn(
    `the trail of ${region} has more than ${PER_PAGE * PAGES_MAX} events: the full pass finds what the rest changed`,
  );
  return found;
}

const isOfEcs = ({ serviceName, eventSource }: TrailEvent): boolean =>
  /^ecs$/i.test(String(serviceName ?? "")) || /^ecs[.-]/i.test(String(eventSource ?? ""));

function batchesOf(events: readonly TrailEvent[]): readonly (readonly TrailEvent[])[] {
  const batches: TrailEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    const last = batches.at(-1);
    if (last === undefined || bytes + size > BATCH_BYTES || last.length >= PER_PAGE) {
      batches.push([event]);
      bytes = size;
    } else {
      last.push(event);
      bytes += size;
    }
  }
  return batches;
}

function forgetOldest(seen: Set<string>): void {
  for (const id of seen) {
    if (seen.size <= SEEN_MAX) return;
    seen.delete(id);
  }
}

/** Where the last run stopped; the present on a first run, and where that is not known. */
function startOf(file: string, now: number): number {
  try {
    const until = (JSON.parse(readFileSync(file, "utf8")) as { readonly until?: unknown }).until;
    return typeof until === "number" && until <= now ? until : now;
  } catch {
    return now;
  }
}
