// The folder of a one-machine installation: its owner's alone, used by one process at a time, with what its marks are signed with.
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import * as z from "zod";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { jsonOf } from "../json-text.ts";
import { readIfThere, writeWhole } from "../setup/secret-files.ts";

/** What this installation signs and is called by; it goes along to a deployment in the cloud. */
export interface Identity {
  readonly installation: string;
  readonly markSecret: string;
  /** In the path of the alarm webhook. */
  readonly alarmSecret: string;
}

/** The folder, held by this process until `release`. */
export interface Home {
  readonly folder: string;
  readonly identity: Identity;
  release(): void;
}

/**
 * Why a folder is not taken: it is `shared` with others, holds `foreign` files, is `held` by another process, or is `unusable`, as one
 * that cannot be written. The message says what to do.
 */
export class HomeRefused extends Error {
  override readonly name = "HomeRefused";
  readonly kind: "shared" | "foreign" | "held" | "unusable";

  constructor(kind: HomeRefused["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Where the tables are. */
export const stateFolder = ({ folder }: Pick<Home, "folder">): string => join(folder, "state");

const identityFile = (folder: string): string => join(folder, "identity.json");

/** Whether an installation has its folder there. */
export const isHome = (folder: string): boolean => existsSync(identityFile(folder));

const identitySchema = z.object({
  installation: z.string().regex(/^[a-z0-9-]{1,12}$/),
  markSecret: z.string().min(32),
  alarmSecret: z.string().min(32),
});

/** Where a new identity takes its parts from. */
const VARIABLES: Readonly<Record<keyof Identity, string>> = {
  installation: "SAFEPORT_INSTALLATION",
  markSecret: "SAFEPORT_MARK_SECRET",
  alarmSecret: "SAFEPORT_ALARM_SECRETS",
};

/**
 * Makes the folder where there is none and holds it. What the environment sets is taken over by a new folder, and has to be what is in
 * an old one. Nothing is changed before `check` has seen the identity. Throws what that throws, HomeRefused, and words where an
 * identity cannot be used or read.
 */
export function holdHome(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  check: (identity: Identity) => void = () => undefined,
): Home {
  if (existsSync(folder)) refuseOthers(folder);
  const planned = identityOf(folder, env);
  check(planned);
  const release = inFolder(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (process.getuid !== undefined && (statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    return lockOf(folder);
  });
  try {
    // Whoever held it until now may have made one meanwhile.
    if (isHome(folder)) return { folder, identity: identityOf(folder, env), release };
    inFolder(folder, () => writeWhole(identityFile(folder), `${JSON.stringify(planned, null, 2)}\n`));
    return { folder, identity: planned, release };
  } catch (error) {
    release();
    throw error;
  }
}

function inFolder<Made>(folder: string, work: () => Made): Made {
  try {
    return work();
  } catch (error) {
    throw error instanceof HomeRefused ? error : unusable(folder, error);
  }
}

/** What `open` makes of files of the home. Throws HomeRefused. */
export async function openIn<Opened>({ folder }: Home, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    throw unusable(folder, error);
  }
}

/** What a first start that failed leaves, and every new disk has. */
const NOBODYS = new Set(["lock.db", "lock.db-journal", "identity.json.new", "lost+found"]);

/** Throws HomeRefused for a folder that is not for safeport alone: its mode and its files are others' matter. */
function refuseOthers(folder: string): void {
  const { mode, uid } = statSync(folder);
  if (process.getuid !== undefined && uid !== process.getuid())
    throw new HomeRefused("shared", `${folder} is somebody else's. Run safeport as its owner, or name another folder.`);
  if (process.getuid !== undefined && (mode & 0o1002) !== 0)
    throw new HomeRefused(
      "shared",
      `${folder} is one that everybody may write to. Name an empty or new folder with --home, or take the right from others (chmod 700) where it is for safeport alone.`,
    );
  if (isHome(folder)) return;
  const foreign = readdirSync(folder).find((name) => !NOBODYS.has(name));
  if (foreign !== undefined)
    throw new HomeRefused(
      "foreign",
      `${folder} holds ${foreign} and no identity.json of safeport. Name an empty or new folder with --home, or restore identity.json where the folder was safeport's.`,
    );
}

const unusable = (folder: string, error: unknown): HomeRefused =>
  new HomeRefused(
    "unusable",
    `${folder} cannot be used (${error instanceof Error ? error.message : String(error)}). Let whoever runs safeport write there, make room on its disk, or name another folder with --home.`,
    { cause: error },
  );

/** A lock of the operating system, which a killed process leaves to nobody. */
function lockOf(folder: string): () => void {
  const db = new Database(join(folder, "lock.db"));
  try {
    db.exec("PRAGMA busy_timeout = 0");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (!(error instanceof Database.SqliteError && error.code === "SQLITE_BUSY")) throw error;
    throw new HomeRefused("held", `Another safeport uses ${folder}. Stop it, or name another folder with --home.`);
  }
  return () => db.close();
}

/** The one that is kept, or one that may be. */
function identityOf(folder: string, env: Readonly<Record<string, string | undefined>>): Identity {
  const file = identityFile(folder);
  const kept = readIfThere(file);
  if (kept === null) {
    const hex = (bytes: number): string => Buffer.from(systemRandom.bytes(bytes)).toString("hex");
    const made = {
      installation: env["SAFEPORT_INSTALLATION"] || `one-${hex(3)}`,
      markSecret: env["SAFEPORT_MARK_SECRET"] || hex(32),
      // `-` is none: for as long as it is set.
      alarmSecret: env["SAFEPORT_ALARM_SECRETS"]?.replace(/^-$/, "") || hex(24),
    };
    // What cannot be used is not kept: it could not be mended afterwards.
    const [wrong] = identitySchema.safeParse(made).error?.issues ?? [];
    if (wrong !== undefined)
      throw new Error(
        `${VARIABLES[wrong.path[0] as keyof Identity]} is not usable. docs/settings.md tells what it may be.`,
      );
    return made;
  }
  const parsed = identitySchema.safeParse(jsonOf(kept));
  if (!parsed.success)
    throw new Error(
      `${file} cannot be read. Restore it: without it the rules that are open are not known as safeport's.`,
    );
  for (const [name, value] of [
    ["SAFEPORT_INSTALLATION", parsed.data.installation],
    ["SAFEPORT_MARK_SECRET", parsed.data.markSecret],
  ] as const)
    if (env[name] && env[name] !== value)
      throw new Error(`${name} is not what ${file} holds: rules of before would not be known. Unset it.`);
  return parsed.data;
}
