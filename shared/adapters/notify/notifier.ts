// The notifier port over HTTPS: secrets are looked up, a request is written for the kind of target, and its answer is read.
import type { NotifyTarget } from "../../domain/notification-policy.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Notifier, SendOutcome } from "../../ports/notifier.ts";
import { AddressRefused, httpsPost, type PostAnswer, type PostSettings } from "./https-post.ts";
import { robots } from "./robots.ts";

export interface NotifierSettings extends PostSettings {
  readonly clock: Clock;
  readonly installation: string;
  /** What a name of the policy stands for, from the functions' configuration; null when nothing is set. */
  readonly secret: (name: string) => string | null;
}

/** Least time between two messages to one robot: Feishu takes 5 a second, Slack one. */
const GAP_MS: Readonly<Partial<Record<NotifyTarget["kind"], number>>> = { feishu: 250, slack: 1000 };

export function httpsNotifier(settings: NotifierSettings): Notifier {
  const lastSent = new Map<string, number>();
  return {
    async send(target, message, withinMs) {
      const url = target.url ?? settings.secret(target.urlFrom ?? "");
      const secret = target.secretFrom === null ? null : settings.secret(target.secretFrom);
      if (url === null || !URL.canParse(url)) return notSet(target.urlFrom, "an address");
      if (secret === null && target.secretFrom !== null) return notSet(target.secretFrom, "a secret");
      const { clock } = settings;
      const gapMs = (GAP_MS[target.kind] ?? 0) - (clock.monotonicMs() - (lastSent.get(target.name) ?? -Infinity));
      if (gapMs > 0) await clock.sleep(gapMs);
      lastSent.set(target.name, clock.monotonicMs());
      try {
        const source = `/safeport/${settings.installation}`;
        const written = robots[target.kind].write(message, { url, secret, now: clock.now(), source });
        return outcomeOf(target, await httpsPost({ ...written, withinMs }, settings));
      } catch (error) {
        const why = error instanceof Error ? error.message : "it cannot be sent";
        return error instanceof AddressRefused ? { kind: "refused", why } : { kind: "unreached", why };
      }
    },
  };
}

const notSet = (name: string | null, what: string): SendOutcome => ({
  kind: "refused",
  why: `the setting SAFEPORT_SECRET_${name ?? ""} does not hold ${what}`,
});

function outcomeOf(target: NotifyTarget, answer: PostAnswer): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return robots[target.kind].read(answer);
  const why = `the target answers ${status}`;
  if (status === 429) return { kind: "busy", why, retryAfterMs: retryAfterMs(answer.retryAfter) };
  if (status >= 300 && status < 400) return { kind: "refused", why: `${why}; nobody is followed` };
  return status >= 500 || status === 408 ? { kind: "unreached", why } : { kind: "refused", why };
}

/** Seconds, as the services send them; a date is not read. */
const retryAfterMs = (text: string | null): number | null =>
  text !== null && /^\d{1,5}$/.test(text) ? Number(text) * 1000 : null;
