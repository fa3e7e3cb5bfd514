// Intents of a group that nobody can read, until somebody puts them right.
import type { GroupRef } from "../../shared/domain/ids.ts";
import type { Tables } from "../../shared/ports/tables.ts";

/** Nobody can read the open intents of the group; answers how that is put right. */
export async function damagedIntents(tables: Tables, { groupId }: GroupRef): Promise<() => Promise<void>> {
  const { rows } = await tables.range({ table: "intent", from: [groupId], to: [`${groupId}~`], limit: 100 });
  const write = async (bodyOf: (body: unknown) => string): Promise<void> => {
    for (const { key, columns } of rows)
      await tables.update("intent", key, { body: bodyOf(columns["body"]) }, { kind: "present" });
  };
  await write(() => "{}");
  return () => write(String);
}
