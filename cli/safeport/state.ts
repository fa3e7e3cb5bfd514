// `safeport state`: the whole state to a file and back, for a copy and for the way from one machine to the cloud, or back.
import { randomBytes } from "node:crypto";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import type { Tables } from "../../shared/ports/tables.ts";
// biome-ignore lint/style/noRestrictedImports: what is moved are the tables themselves.
import { schemas } from "../../shared/store/tables.ts";
import { stateOf } from "../setup/installation-steps.ts";
import { exportState, importState, type Owner, readStateOf } from "../state/move-state.ts";
import { accountOf } from "./account.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";
import { ownFunctions } from "./deployed-functions.ts";
import { refuseTablesOfOthers } from "./own-rules.ts";

export const state: Command = {
  name: "state",
  summary: "write the whole state to a file, or take it over from one",
  help: `Usage: safeport state export FILE [--home DIR] [--json]
       safeport state import FILE [--home DIR] [--force] [--json]

The state is the one in Tablestore that SAFEPORT_TABLESTORE_INSTANCE names; with --home, the one of safeport run in that folder.
Nothing may run on it meanwhile: end safeport run, or take the functions away (s remove).

  export  one line a row, with checksums, readable by its owner alone: it holds whom tokens belong to, and hashes of them.
          Locks and budgets stay behind; intents go along, and the next pass finishes what they are about
  import  makes the tables, and every row; installation and mark secret have to be the same, as the rules carry them.
          Before safeport setup, which then finds policy and tokens there
  --force removes all rows of a state that is not empty first; one that has an audit trail is refused all the same

Both may be interrupted and run again: an export begins anew, an import goes on; nothing makes use of a half import before.
docs/operations.md tells the way to the cloud step by step.
`,
  async run(args, surroundings) {
    const { values, positionals } = readArguments(
      args,
      {
        home: { type: "string" },
        force: { type: "boolean", default: false },
      },
      2,
    );
    const [verb, file] = positionals;
    if ((verb !== "export" && verb !== "import") || file === undefined)
      throw new UsageError("say export or import, and a file");
    const home = typeof values["home"] === "string" ? values["home"] : null;
    if (home !== null) await checkNewHome(home, verb, file, surroundings);
    const place = home === null ? await cloudState(surroundings) : await homeState(home, surroundings);
    const progress = (line: string): void => surroundings.err(`${line}\n`);
    try {
      const { tables, owner } = place;
      const report =
        verb === "export"
          ? await exportState(tables, { file, owner, now: surroundings.clock.now(), progress })
          : await importState(tables, { file, owner, force: values["force"] === true, progress });
      const lines = [`${report.rows} rows ${verb === "export" ? "written" : "taken over"}, sha256 ${report.sha256}`];
      tell(surroundings, values, { json: report, lines });
      return EXIT.ok;
    } finally {
      await place.close();
    }
  },
};

interface Place {
  readonly tables: Tables;
  readonly owner: Owner;
  close(): Promise<void>;
}

async function cloudState(surroundings: Surroundings): Promise<Place> {
  const account = accountOf(surroundings);
  await refuseTablesOfOthers(account);
  const still = await ownFunctions(surroundings, account);
  if (still.length > 0)
    throw new Error(`${still.join(", ")} still stand, and would change what is moved. Run s remove first.`);
  return { tables: stateOf(account), owner: account.configuration.settings, close: async () => undefined };
}

/** A folder that is made has an identity of its own from then on: not for a slip of the pen, and not for another one's state. */
async function checkNewHome(
  folder: string,
  verb: "export" | "import",
  file: string,
  { env }: Surroundings,
): Promise<void> {
  const { isHome } = await import("../machine/home.ts");
  if (isHome(folder)) return;
  if (verb === "export") throw new Error(`${folder} holds no state of safeport run. Name its folder with --home.`);
  const { SAFEPORT_INSTALLATION: installation = "", SAFEPORT_MARK_SECRET: markSecret = "" } = env;
  await readStateOf({ installation, markSecret }, file);
}

async function homeState(folder: string, { env, clock }: Surroundings): Promise<Place> {
  const [{ holdHome, openIn, stateFolder }, { startTablestore }] = await Promise.all([
    import("../machine/home.ts"),
    import("../../local/services/tablestore/server.ts"),
  ]);
  const home = holdHome(folder, env);
  // Nobody else is to be let in: the key is of this run alone.
  const key = { accessKeyId: "state", accessKeySecret: randomBytes(24).toString("hex") };
  const instance = "safeport";
  const service = await openIn(home, () =>
    startTablestore({
      ...{ clock, random: systemRandom, directory: stateFolder(home), instances: [instance] },
      credentials: (id) => (id === key.accessKeyId ? { secret: key.accessKeySecret } : undefined),
    }),
  );
  const tables = tablestoreTables({
    ...{ clock, random: systemRandom, schemas, instance, endpoint: service.url },
    credentials: () => key,
  });
  return {
    tables,
    owner: home.identity,
    close: async () => {
      await service.stop();
      home.release();
    },
  };
}
