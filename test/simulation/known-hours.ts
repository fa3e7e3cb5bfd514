// What people outside know of rules that stand in open hours: when one may be open, has to be, and has to be gone.
import type { OpenHours } from "../../shared/domain/allocation.ts";
import { type Span, windowAt } from "../../shared/domain/open-hours.ts";
import { type KnownAllocation, KnownAllocations } from "./known-allocations.ts";
import { LATE_EFFECT_MS, SKEW_MAX_MS } from "./observed.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * 60_000;

export class KnownHours extends KnownAllocations {
  /** Hours that somebody has ever asked for, by group and words; the last ones last. */
  readonly #asked = new Map<string, OpenHours[]>();

  /** Somebody says, by `send`, that the rule shall stand in these hours. */
  giveIn(hours: OpenHours, groupId: string, words: string, send: () => Promise<boolean>): Promise<void> {
    const name = `${groupId} ${words}`;
    this.#asked.set(name, [...(this.#asked.get(name) ?? []), hours]);
    return this.give(groupId, words, send);
  }

  /** True where it may be opened now, by the clock of a machine that is off, or by a call that took so long. */
  mayBeOpenedNow(groupId: string, words: string): boolean {
    const now = this.now();
    const instants = [now + SKEW_MAX_MS, now, now - SKEW_MAX_MS - LATE_EFFECT_MS];
    return instants.some((at) => this.#windowsAt(groupId, words, at).length > 0);
  }

  /** When what was opened for them has to be gone: the end of hours that are open, or were last; 0 for never. */
  endOf(groupId: string, words: string): number {
    const now = this.now();
    const open = this.#windowsAt(groupId, words, now);
    return open.length > 0 ? Math.max(...open.map(({ until }) => until)) : this.#lastEnd(groupId, words, now);
  }

  /** The window in which the rule has to stand now: the same by all hours that it was ever given. Null outside, and where nobody can say. */
  surelyOpen({ groupId, words, given }: KnownAllocation): Span | null {
    const asked = this.#asked.get(`${groupId} ${words}`) ?? [];
    const windows = this.#windowsAt(groupId, words, this.now());
    if (given === null || windows.length === 0 || windows.length < asked.length) return null;
    return { from: Math.max(...windows.map((it) => it.from)), until: Math.min(...windows.map((it) => it.until)) };
  }

  /** True for an instant, of whatever day, at which hours of the group open or close. */
  isBoundary(groupId: string, at: number): boolean {
    return [...this.#asked].some(
      ([name, asked]) => name.startsWith(`${groupId} `) && asked.flatMap(timesOf).includes(at % DAY_MS),
    );
  }

  /** True where hours of any group open or close within some minutes of now. */
  isChanging(): boolean {
    const minutes = Array.from({ length: 9 }, (_, n) => this.now() - (this.now() % MINUTE_MS) + (n - 4) * MINUTE_MS);
    return [...this.#asked.values()].some((asked) =>
      asked.flatMap(timesOf).some((time) => minutes.some((at) => at % DAY_MS === time)),
    );
  }

  #windowsAt(groupId: string, words: string, at: number): readonly Span[] {
    return (this.#asked.get(`${groupId} ${words}`) ?? []).flatMap((hours) => windowAt(hours, at) ?? []);
  }

  #lastEnd(groupId: string, words: string, now: number): number {
    const times = (this.#asked.get(`${groupId} ${words}`) ?? []).flatMap(({ windows }) => windows.map(({ to }) => to));
    const day = now - (now % DAY_MS);
    const ends = times.map(ofDay).map((time) => (day + time <= now ? day + time : day + time - DAY_MS));
    return Math.max(0, ...ends);
  }
}

/** Milliseconds after midnight in UTC, which is the zone of everybody here. */
const ofDay = (text: string): number => Date.parse(`1970-01-01T${text}:00Z`);

const timesOf = ({ windows }: OpenHours): readonly number[] =>
  windows.flatMap(({ from, to }) => [ofDay(from), ofDay(to)]);
