// A claim on the folder of a cloud's state: two clouds that write the same files would undo each other's changes.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";

/** A killed process may take so long to be gone. */
const BUSY_MS = 500;

/**
 * Holds the folder until the answer is called, by a lock of the operating system, which a killed process leaves to nobody. Throws
 * when another cloud holds it.
 */
export function claimDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const database = new Database(join(directory, "lock.db"));
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.exec("BEGIN EXCLUSIVE");
  } catch {
    database.close();
    throw new Error(
      `Another cloud on this host keeps its state in ${directory}: stop it, or give this one another home (SAFEPORT_HOME).`,
    );
  }
  return () => void database.close();
}
