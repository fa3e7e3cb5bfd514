// A process of a pool: seeds come one by one, and their reports go back.
import { runSeed } from "./run-seed.ts";

process.on("message", (seed: string) => {
  void runSeed(seed).then((report) => process.send?.(report));
});
// Without whoever asked for it nobody takes a report.
process.on("disconnect", () => process.exit());
// A terminal sends it to everybody: whoever asked decides what it means.
process.on("SIGINT", () => undefined);
