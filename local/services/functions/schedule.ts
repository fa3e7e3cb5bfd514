// When a timer trigger fires next: `@every <n>m`, or six fields with an optional zone.

/** A parsed expression. */
export interface Schedule {
  /** The first instant strictly after `afterMs`; `anchorMs` is when the trigger was created. */
  next(afterMs: number, anchorMs: number): number;
}

interface Field {
  readonly name: string;
  readonly range: readonly [number, number];
  /** Words for values, from the lowest on. */
  readonly words?: readonly string[];
  readonly takesAny?: boolean;
}

/** The wall clock of a zone. */
interface Wall {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  /** 1 is Monday. */
  readonly weekday: number;
}

const MINUTE_MS = 60_000;
const SEARCHED_MS_MAX = 9 * 366 * 86_400_000;

const minutes: Field = { name: "minute", range: [0, 59] };
const hours: Field = { name: "hour", range: [0, 23] };
const days: Field = { name: "day of month", range: [1, 31], takesAny: true };
const months: Field = {
  name: "month",
  range: [1, 12],
  words: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const weekdays: Field = {
  name: "day of week",
  range: [1, 7],
  words: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"],
  takesAny: true,
};

/** Throws a RangeError for an expression that the service does not take either. */
export function parseSchedule(cron: string): Schedule {
  const refuse = (why: string): RangeError => new RangeError(`timer "${cron}": ${why}`);
  const every = /^@every (\d+)m$/.exec(cron.trim());
  if (every) {
    const periodMs = Number(every[1]) * MINUTE_MS;
    if (periodMs < MINUTE_MS) throw refuse("the shortest period is 1m");
    return {
      // Whole minutes from the anchor's minute on, so that a restart does not move the ticks.
      next: (afterMs, anchorMs) => {
        const startMs = Math.floor(anchorMs / MINUTE_MS) * MINUTE_MS;
        return startMs + (Math.floor((afterMs - startMs) / periodMs) + 1) * periodMs;
      },
    };
  }
  const [, zone, text = ""] = /^(?:CRON_TZ=(\S+)\s+)?(.*)$/s.exec(cron.trim()) ?? [];
  const [second = "", ...rest] = text.split(/\s+/);
  if (!/^\d{1,2}$/.test(second) || Number(second) > 59 || rest.length !== 5)
    throw refuse('use "@every <n>m" or "<second> <minute> <hour> <day> <month> <weekday>", the second one number');
  const [minute, hour, day, month, weekday] = [minutes, hours, days, months, weekdays].map((field, index) =>
    valuesOf(field, rest[index] ?? "", refuse),
  );
  // Nothing says whether both or either would count.
  if (rest[2] !== "?" && rest[2] !== "*" && rest[4] !== "?" && rest[4] !== "*")
    throw refuse("set the day of month or the day of week, and the other to ?");
  const wallOf = wallClock(zone, refuse);
  const isDay = (wall: Wall): boolean =>
    month?.has(wall.month) === true && day?.has(wall.day) === true && weekday?.has(wall.weekday) === true;
  return {
    next: (afterMs) => {
      let minuteMs = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS;
      const untilMs = minuteMs + SEARCHED_MS_MAX;
      while (minuteMs < untilMs) {
        const wall = wallOf(minuteMs);
        if (!isDay(wall) || hour?.has(wall.hour) !== true) {
          // To the zone's next full hour, where a change of its offset may fall.
          minuteMs += (60 - wall.minute) * MINUTE_MS;
          continue;
        }
        const dueMs = minuteMs + Number(second) * 1_000;
        if (minute?.has(wall.minute) === true && dueMs > afterMs) return dueMs;
        minuteMs += MINUTE_MS;
      }
      throw refuse("it never comes");
    },
  };
}

/** `*`, `?`, values, ranges and steps, in any list. */
function valuesOf(field: Field, text: string, refuse: (why: string) => RangeError): ReadonlySet<number> {
  const { name, range, words = [], takesAny = false } = field;
  const [low, high] = range;
  const bad = (): RangeError => refuse(`the ${name} ${JSON.stringify(text)} is not understood`);
  const numberOf = (word: string): number => {
    const index = words.indexOf(word.toUpperCase());
    const value = index >= 0 ? low + index : /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= low && value <= high)) throw bad();
    return value;
  };
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [, span = "", stepText] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    const step = Number(stepText ?? 1);
    if (span === "" || step < 1 || (span === "?" && !(takesAny && text === "?"))) throw bad();
    const isAll = span === "*" || span === "?";
    const [first = "", last] = span.split("-");
    const from = isAll ? low : numberOf(first);
    // A step from a single value runs to the end of the field.
    const to = isAll || (last === undefined && stepText !== undefined) ? high : numberOf(last ?? first);
    if (from > to) throw bad();
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function wallClock(zone: string | undefined, refuse: (why: string) => RangeError): (ms: number) => Wall {
  if (zone === undefined || zone === "UTC") return wallOfShifted;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      ...({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const),
    });
  } catch {
    throw refuse(`${zone} is no zone`);
  }
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
    return wallOfShifted(Date.UTC(year, month - 1, day, hour, minute));
  };
}

/** The wall clock of UTC; of a zone when its own time is given as if it were UTC. */
function wallOfShifted(ms: number): Wall {
  const date = new Date(ms);
  return {
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay() || 7,
  };
}
