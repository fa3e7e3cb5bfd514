// A Tablestore in a process of its own that ends itself, as `kill -9` does, at one step of its work.
// Arguments: directory, step ("put", "before-commit", "after-commit" or "never"), how many such steps are done first.
import Database from "libsql";
import { startTablestore } from "../../../../local/services/tablestore/server.ts";
import { Store } from "../../../../local/services/tablestore/store.ts";
import { systemClock } from "../../../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../../../shared/adapters/system/random.ts";

const [directory = "", step = "never", skipped = "0"] = process.argv.slice(2);
let left = Number(skipped);

function pass(name: string): void {
  if (name !== step) return;
  left -= 1;
  if (left < 0) process.kill(process.pid, "SIGKILL");
}

const exec = Database.prototype.exec;
Database.prototype.exec = function (this: Database.Database, sql) {
  if (sql === "COMMIT") pass("before-commit");
  const done = exec.call(this, sql);
  if (sql === "COMMIT") pass("after-commit");
  return done;
};
const put = Store.prototype.put;
Store.prototype.put = function (...row) {
  put.apply(this, row);
  pass("put");
};

startTablestore({
  clock: systemClock,
  random: systemRandom,
  directory,
  instances: ["inst1"],
  credentials: (id) => (id === "ak" ? { secret: "sk" } : undefined),
}).then(({ url }) => process.stdout.write(`${url}\n`));
