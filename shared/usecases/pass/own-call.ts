// Whether a call of the trail was made by the program itself.
import { parseMark } from "../../domain/mark.ts";
import { isOwnToken } from "../../domain/own-token.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import type { Sighting } from "../../domain/sighting.ts";
import { isGenuine } from "../../plan/picture.ts";
import type { App } from "../app.ts";

/**
 * By a token that we minted for such a call; else by true marks on everything it writes. Never by a name. What is taken for
 * ours spares nothing: a rule without a ledger row or a true mark is drift whoever wrote it.
 */
export function isOwnCall(app: App, { kind, token, rules, groupId, region, at }: Sighting): boolean {
  const { installation, markSecret } = app.settings;
  const isOfRules = kind === "authorize" || kind === "modify" || kind === "revoke";
  if (token !== null && isOfRules && isOwnToken(token, { groupId, call: kind, at }, markSecret)) return true;
  if (kind !== "authorize" || rules === null || rules.length === 0) return false;
  return rules.every(({ spec, description }) => {
    const mark = parseMark(description);
    const rule = { ...spec, id: null, description, createdAt: null };
    const picture = { group: { groupId, region }, installation, markSecret };
    return mark !== null && mark.entryId === entryIdOf(groupId, ruleKey(spec)) && isGenuine(mark, rule, picture);
  });
}
