// Keys of the account from the standard chain: environment, OIDC, profiles, the role of the machine. They may change while we run.
import { DefaultCredentialsProvider } from "@alicloud/credentials";
import type { Clock } from "../../shared/ports/clock.ts";

/** A key; the token is empty where none goes with it. */
export interface Key {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken: string;
}

/** The present key, and those before it that calls on their way may still be signed with. */
export interface Keys {
  current(): Key;
  find(accessKeyId: string): Key | undefined;
  /** Stops asking the chain. */
  stop(): void;
}

/** The chain keeps what is still good, so that asking often costs nothing. */
const ASKED_EVERY_MS = 60_000;
const KEPT_MAX = 4;

/** Asks the chain, and goes on asking it. Throws with words where it has no key. */
export async function chainKeys(clock: Clock, warn: (text: string) => void): Promise<Keys> {
  const known = new Map<string, Key>();
  let provider = DefaultCredentialsProvider.builder().build();
  let isStopped = false;

  const ask = async (): Promise<Key> => {
    const { accessKeyId, accessKeySecret, securityToken } = await provider.getCredentials();
    if (!accessKeyId || !accessKeySecret) throw new Error("the chain has no access key");
    const key = { accessKeyId, accessKeySecret, securityToken: securityToken ?? "" };
    known.delete(accessKeyId);
    known.set(accessKeyId, key);
    const oldest = known.keys().next();
    if (known.size > KEPT_MAX && !oldest.done) known.delete(oldest.value);
    return key;
  };
  let key = await ask().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `There is no key for the account (${why}). Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or use a profile or the machine's role.`,
    );
  });
  const keepAsking = async (): Promise<void> => {
    while (!isStopped) {
      await clock.sleep(ASKED_EVERY_MS);
      if (isStopped) return;
      try {
        key = await ask();
      } catch (error) {
        // The library goes on with the last source it has tried; a new one begins at the first.
        provider = DefaultCredentialsProvider.builder().build();
        warn(`the chain has no key at present: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  void keepAsking();
  return {
    current: () => key,
    find: (accessKeyId) => known.get(accessKeyId),
    stop: () => {
      isStopped = true;
    },
  };
}
