// The embedded Tablestore in a process of its own, durable in the directory given as argument; prints its address.
import { startTablestore } from "../local/services/tablestore/server.ts";
import { systemClock } from "../shared/adapters/system/clock.ts";
import { systemRandom } from "../shared/adapters/system/random.ts";

startTablestore({
  clock: systemClock,
  random: systemRandom,
  directory: process.argv[2] ?? "",
  instances: ["bench"],
  credentials: (id) => (id === "ak" ? { secret: "sk" } : undefined),
}).then(({ url }) => process.stdout.write(`${url}\n`));
