// The seeded account's guarded group is adopted, as a person would do it: look at the diff, then confirm it, over the API.

/** The group that the seed has enforced. */
const GROUP = "web";

/** Confirms the group's baseline unless that has been done. Throws when the API refuses. */
export async function adoptSeed(api: string, adminToken: string): Promise<void> {
  const call = async (method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> => {
    const response = await fetch(api + path, {
      method,
      headers: { authorization: `Bearer ${adminToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The seeded group ${GROUP} cannot be adopted: ${response.status} ${text}`);
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  };
  // The first look at an installation believes marks and judges nothing; whoever starts this does not wait a minute for it.
  await call("PUT", "/safeport/cleanup");
  const group = await call("GET", `/v1/groups/${GROUP}`);
  if (group["baseline"] !== null) return;
  const { digest, sensitive } = await call("GET", `/v1/groups/${GROUP}/baseline?from=rules`);
  const word = { from: "rules", digest, sensitive, owner: "operations", reason: "seeded with the account" };
  await call("POST", `/v1/groups/${GROUP}/baseline`, word);
}
