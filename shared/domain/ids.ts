// The names of things, branded so that two kinds of id cannot be swapped.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Id of a security group, `sg-…`. */
export type GroupId = Branded<"GroupId">;
/** Id of one rule as the cloud gave it (`SecurityGroupRuleId`, `sgr-…`). */
export type RuleId = Branded<"RuleId">;
/** Id of a lease, `ls-…`; ids made later sort after earlier ones. */
export type LeaseId = Branded<"LeaseId">;
/** Id of a ledger entry, `e-` and 16 hex digits of the hash of its group and key. */
export type EntryId = Branded<"EntryId">;
/** The functional identity of a rule as canonical text, made by `ruleKey`. */
export type RuleKey = Branded<"RuleKey">;

/** A security group and the region it lives in. */
export interface GroupRef {
  readonly region: string;
  readonly groupId: GroupId;
}
