// The secret in the path of a webhook, whose sender can sign nothing that could be checked.
import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** True when the last part of the path is one of the secrets. Takes the same time whichever it is, and whether it is any. */
export function isSecretPath(path: string, secrets: readonly string[]): boolean {
  const given = digest(path.split("/").at(-1) ?? "");
  let found = false;
  for (const secret of secrets) if (timingSafeEqual(given, digest(secret))) found = true;
  return found;
}
