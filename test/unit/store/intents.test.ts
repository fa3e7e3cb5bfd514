// Open intents are read whole, however many there are.
import { expect, test } from "vitest";
import type { GroupRef } from "../../../shared/domain/ids.ts";
import type { Intent } from "../../../shared/domain/ledger-entry.ts";
import { intentWrite, listIntents } from "../../../shared/store/intents.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const GROUP: GroupRef = { region: "cn-hangzhou", groupId: "sg-many" as GroupRef["groupId"] };
const MORE_THAN_A_PAGE = 1001;

const intentOf = (n: number): Intent => ({
  ...{ group: GROUP, intentId: `i-${String(n).padStart(5, "0")}`, token: `t-${n}`, call: "revoke", rules: [] },
  ...{ ruleIds: [], cause: "a lease has ended", bookedAt: 0, attemptsEndAt: 0 },
});

test("a group that was called for minutes has all its intents read", async () => {
  const tables = memoryTables(schemas);
  const intents = Array.from({ length: MORE_THAN_A_PAGE }, (_, n) => intentOf(n));
  await tables.writeAll(intents.map(intentWrite));
  expect(await listIntents(tables, GROUP)).toEqual({ intents, unreadable: [] });
});
