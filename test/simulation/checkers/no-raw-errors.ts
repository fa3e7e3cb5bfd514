// Nothing but the program's own failures is thrown: what is raw has no code, no remedy, and ends an instance where nobody awaits it.
import { AppError } from "../../../shared/errors/app-error.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import type { Checker } from "./checker.ts";

export const noRawErrors: Checker = {
  name: "no-raw-errors",
  watch(world) {
    world.watchers.failed.push(({ error, during }) => {
      const isOwn = error instanceof AppError || error instanceof CloudFailure || error instanceof StoreFailure;
      // Its own, too, have to be caught by somebody.
      if (isOwn && during !== null) return;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      world.violated("no-raw-errors", during === null ? text : `${during}: ${text}`);
    });
  },
};
