// What part of the account a token or a person is for.

/** The tag whose value names the application a group belongs to. */
const APPLICATION_TAG = "safeport:application";

/** The groups that meet one of these; a scope that names nothing meets none. */
export interface Scope {
  /** Groups by id or name. */
  readonly groups: readonly string[];
  /** Tags a group may carry, each as `key=value`. */
  readonly tags: readonly string[];
  /** Values of the tag `safeport:application`. */
  readonly applications: readonly string[];
}

/** What a scope asks of a group. */
export interface ScopedGroup {
  readonly groupId: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** True when the group meets every scope; without any, all groups do. */
export function isInScopes(scopes: readonly Scope[], group: ScopedGroup): boolean {
  return scopes.every((scope) => isInScope(scope, group));
}

function isInScope({ groups, tags, applications }: Scope, { groupId, name, tags: carried }: ScopedGroup): boolean {
  if (groups.includes(groupId) || (name !== "" && groups.includes(name))) return true;
  return Object.entries(carried).some(
    ([key, value]) => tags.includes(`${key}=${value}`) || (key === APPLICATION_TAG && applications.includes(value)),
  );
}
