// When a timer trigger fires next. Only minute schedules: `@every <n>m`, and six fields with a step or a star for the minute.

/** A parsed expression. */
export interface Schedule {
  /** The first instant strictly after `afterMs`; `anchorMs` is when the trigger was created. */
  next(afterMs: number, anchorMs: number): number;
}

const MINUTE_MS = 60_000;

/** Throws a RangeError for an expression that the embedded cloud does not run. */
export function parseSchedule(cron: string): Schedule {
  const every = /^@every (\d+)m$/.exec(cron.trim());
  if (every) {
    const periodMs = Number(every[1]) * MINUTE_MS;
    if (periodMs < MINUTE_MS) throw new RangeError(`timer "${cron}": the shortest period is 1m`);
    return {
      // Whole minutes from the anchor's minute on, so that a restart does not move the ticks.
      next: (afterMs, anchorMs) => {
        const startMs = Math.floor(anchorMs / MINUTE_MS) * MINUTE_MS;
        return startMs + (Math.floor((afterMs - startMs) / periodMs) + 1) * periodMs;
      },
    };
  }
  // A zone moves hours and days only; with a star in all of those it changes nothing.
  const fields = cron
    .trim()
    .replace(/^CRON_TZ=\S+\s+/, "")
    .split(/\s+/);
  const [second = "", minute = "", ...larger] = fields;
  const step = /^\*(?:\/(\d+))?$/.exec(minute);
  const isWhole = larger.length === 4 && larger.every((field) => field === "*" || field === "?");
  const isSecond = /^\d+$/.test(second) && Number(second) <= 59;
  const stepMinutes = Number(step?.[1] ?? 1);
  if (!step || !isWhole || !isSecond || stepMinutes < 1 || stepMinutes > 59)
    throw new RangeError(`timer "${cron}": use "@every <n>m" or "<second> */<minutes> * * * *"`);
  return {
    next: (afterMs) => {
      let minuteMs = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS;
      for (;;) {
        const dueMs = minuteMs + Number(second) * 1_000;
        if (dueMs > afterMs && new Date(minuteMs).getUTCMinutes() % stepMinutes === 0) return dueMs;
        minuteMs += MINUTE_MS;
      }
    },
  };
}
