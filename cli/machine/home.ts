// The folder of a one-machine installation: its owner's alone, used by one process at a time, with what its marks are signed with.
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
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
 * an old one. Throws with words where another process holds it, where others can read it, and where it cannot be read.
 */
export function holdHome(folder: string, env: Readonly<Record<string, string | undefined>>): Home {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(folder);
  if (process.getuid !== undefined && uid !== process.getuid())
    throw new Error(`${folder} is somebody else's. Run safeport as its owner, or name another folder.`);
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700);
  const release = lockOf(folder);
  try {
    return { folder, identity: identityOf(folder, env), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** A lock of the operating system, which a killed process leaves to nobody. */
function lockOf(folder: string): () => void {
  const db = new Database(join(folder, "lock.db"));
  try {
    db.exec("PRAGMA busy_timeout = 0");
    db.exec("BEGIN EXCLUSIVE");
  } catch {
    db.close();
    throw new Error(`Another safeport uses ${folder}. Stop it, or name another folder with --home.`);
  }
  return () => db.close();
}

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
    writeWhole(file, `${JSON.stringify(made, null, 2)}\n`);
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
