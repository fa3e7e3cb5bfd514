// What `safeport probe` says when prefix lists were found to work as the second way of a lockdown needs them to.
import { sha256Hex } from "./digest.ts";

/**
 * `cn-hangzhou:20261127:0123456789ab`: region, day, and a digest of both with the account's number. It proves no identity: it keeps a word that was
 * mistyped, or given for another account or region, from switching anything on.
 */
export const listProbeWord = (accountId: string, region: string, day: string): string =>
  `${region}:${day}:${sha256Hex(`safeport prefix lists ${accountId} ${region} ${day}`).slice(0, 12)}`;

/** The region that the word is for; null where it is none of this account. */
export function regionProbed(word: string, accountId: string): string | null {
  const [region = "", day = ""] = word.split(":");
  return word === listProbeWord(accountId, region, day) ? region : null;
}
