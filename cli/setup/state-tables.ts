// The tables of the state as setup and doctor see them: what they are, what they should be, and making them so.
import tablestore from "tablestore";
import type { Configuration, Credentials } from "../../shared/config/settings.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { KEPT_TABLES, type TableName, type TableSchema } from "../../shared/ports/tables.ts";
import type { Look, Step } from "./steps.ts";

const CALL_MS = 20_000;
/** Rows of a new table may be refused for a while, up to a minute by older documents. */
const READY_MS = 90_000;
/** Ten operations a second are taken that are about tables; whoever is faster waits, and asks again. */
const TOO_FREQUENT = /Too frequent table operations/;
const AGAIN_AFTER_MS = 1_000;
const TRIES = 20;
/** Kept at least as long as records: what was removed can be brought back for as long as the trail tells of it. */
const KEPT_AS_RECORDS: readonly TableName[] = ["history", "drift"];
const TYPES = { string: "STRING", integer: "INTEGER" } as const;

interface Described {
  readonly tableMeta: { readonly primaryKey: readonly { readonly name: string; readonly type: number | string }[] };
  readonly tableOptions: { readonly timeToLive: number; readonly maxVersions: number };
}

/** Where the tables are. */
export interface StatePlace {
  readonly endpoints: Configuration["endpoints"];
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** One step for each table. */
export function tableSteps(place: StatePlace, schemas: readonly TableSchema[]): readonly Step[] {
  const client = new tablestore.Client({
    accessKeyId: place.credentials.accessKeyId,
    secretAccessKey: place.credentials.accessKeySecret,
    ...(place.credentials.securityToken === undefined ? {} : { stsToken: place.credentials.securityToken }),
    endpoint: place.endpoints.tablestore,
    instancename: place.endpoints.tablestoreInstance,
    maxRetries: 3,
    httpOptions: { timeout: CALL_MS, maxSockets: 50 },
  });
  return schemas.map((schema) => tableStep(client, schema, place.clock));
}

function tableStep(client: tablestore.Client, schema: TableSchema, clock: Clock): Step {
  const { name: tableName } = schema;
  const ask = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    for (let tries = 1; ; tries++) {
      try {
        return await inTime(call());
      } catch (error) {
        if (tries === TRIES || !TOO_FREQUENT.test(messageOf(error))) throw error;
      }
      await clock.sleep(AGAIN_AFTER_MS);
    }
  };
  const describe = async (name: TableName = tableName): Promise<Described | null> => {
    try {
      return (await ask(() => client.describeTable({ tableName: name }))) as unknown as Described;
    } catch (error) {
      if (codeOf(error) === "OTSObjectNotExist") return null;
      throw failureOf(error, `the table ${name}`);
    }
  };
  /** Seconds that rows are kept at least; -1 for ever. */
  const leastS = async (): Promise<number> => {
    const records = KEPT_AS_RECORDS.includes(tableName) ? await describe("record") : null;
    const recordsS = Number(records?.tableOptions.timeToLive ?? 0);
    return records !== null && isLonger(recordsS, schema.timeToLiveS) ? recordsS : schema.timeToLiveS;
  };
  const optionsOf = async () => ({ timeToLive: await leastS(), maxVersions: 1 });
  const look = async (): Promise<Look> => {
    const found = await describe();
    if (found === null) return { state: "missing", what: `create the table ${tableName}` };
    const key = found.tableMeta.primaryKey.map(({ name }) => name).join(", ");
    const wanted = schema.key.map(({ name }) => name).join(", ");
    if (key !== wanted)
      return {
        state: "wrong",
        what: `the table ${tableName} has the key ${key} instead of ${wanted}: another version of safeport made it, or it is not safeport's. Use another instance.`,
      };
    const { timeToLive, maxVersions } = found.tableOptions;
    const timeToLiveS = await leastS();
    const mayBeLonger = [...KEPT_TABLES, ...KEPT_AS_RECORDS].some((name) => name === tableName);
    const isKept = Number(timeToLive) === timeToLiveS || (mayBeLonger && isLonger(Number(timeToLive), timeToLiveS));
    if (isKept && Number(maxVersions) === 1) return { state: "ready" };
    return {
      state: "differs",
      what: `the table ${tableName} keeps rows for ${timeToLive} s and ${maxVersions} versions: set ${timeToLiveS} s and 1`,
    };
  };
  return {
    id: `table ${tableName}`,
    look,
    async make() {
      try {
        const isMissing = (await describe()) === null;
        const tableOptions = await optionsOf();
        if (isMissing)
          await ask(() =>
            client.createTable({
              tableMeta: { tableName, primaryKey: schema.key.map(({ name, type }) => ({ name, type: TYPES[type] })) },
              reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
              tableOptions,
            }),
          );
        else await ask(() => client.updateTable({ tableName, tableOptions }));
      } catch (error) {
        // Somebody else was faster.
        if (codeOf(error) !== "OTSObjectAlreadyExist") throw failureOf(error, `the table ${tableName}`);
      }
      await untilReadable(client, schema, clock);
      return undefined;
    },
    async remove() {
      try {
        await ask(() => client.deleteTable({ tableName }));
      } catch (error) {
        if (codeOf(error) !== "OTSObjectNotExist") throw failureOf(error, `the table ${tableName}`);
      }
    },
  };
}

/** Whether rows are kept for longer by the first than by the second; -1 is for ever. */
const isLonger = (oneS: number, otherS: number): boolean => otherS !== -1 && (oneS === -1 || oneS > otherS);

async function untilReadable(
  client: tablestore.Client,
  { name: tableName, key }: TableSchema,
  clock: Clock,
): Promise<void> {
  const primaryKey = key.map(({ name, type }) => ({ [name]: type === "integer" ? tablestore.Long.fromNumber(0) : "" }));
  for (let waitedMs = 0; ; waitedMs += 500) {
    try {
      await inTime(client.getRow({ tableName, primaryKey }));
      return;
    } catch (error) {
      if (waitedMs >= READY_MS) throw failureOf(error, `the new table ${tableName}`);
    }
    await clock.sleep(500);
  }
}

/** The SDK may never settle where a reply is cut. */
async function inTime<Answer>(call: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("Tablestore does not answer. Run the command again.")), CALL_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The SDK leaves the service's code inside the message. */
const codeOf = (error: unknown): string | undefined => /OTS[A-Za-z]+/.exec(messageOf(error))?.[0];

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String((error as { message?: unknown })?.message);

function failureOf(error: unknown, what: string): Error {
  const code = codeOf(error);
  if (code === "OTSNoPermissionAccess")
    return new Error(`${what}: these keys may not. Give them AliyunOTSFullAccess for setup, or run it with others.`);
  if (code === undefined && error instanceof Error && error.message.endsWith("again.")) return error;
  return new Error(
    `${what}: ${code ?? "Tablestore cannot be reached"}. Check SAFEPORT_TABLESTORE_INSTANCE and try again.`,
    {
      cause: error,
    },
  );
}
