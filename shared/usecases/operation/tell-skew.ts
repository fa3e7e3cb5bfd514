// A clock that is off: nothing is opened by it, and people have to know why.
import { formatUtc } from "../../domain/instant.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { App } from "../app.ts";
import { tellOnce } from "../notices/tell.ts";

/** Tells operators once a day, where the cloud's answers have shown that our clock is further off than it may be. */
export async function tellSkew(app: App): Promise<void> {
  const skewMs = app.firewall.skewMs();
  if (Math.abs(skewMs) <= app.settings.skewMaxMs) return;
  const at = app.clock.now();
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const what = `its clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} the cloud's: nothing is opened until it is right; ends go on`;
  app.log.write("error", what);
  const to = [{ kind: "role", role: "operator" }] as const;
  const dedupe = `clock/${formatUtc(at).slice(0, 10)}`;
  await tellOnce(app, [noticeOf("healthAlarm", { at, group: null, to, dedupe, data: { what, since: null } })]);
}
