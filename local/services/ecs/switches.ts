// What public documents leave open about the real service: one switch each, with the default we read out of them.

/** How the embedded ECS behaves where the real one is unconfirmed. Mutable at run time. */
export interface EcsSwitches {
  /** Revoke by a rule id that does not exist. */
  revokeMissingId:
    | "InvalidParam.SecurityGroupRuleId"
    | "InvalidSecurityGroupRuleId.NotFound"
    | "InvalidSecurityGroupRule.RuleNotExist";
  /** Revoke of several ids of which one does not exist; both answer the error of `revokeMissingId`. */
  revokeBatchWithMissingId: "none-deleted" | "valid-deleted";
  /** Revoke by permissions that match no rule. */
  revokePermissionsNoMatch: "success" | "InvalidSecurityGroupRule.RuleNotExist";
  /** Authorise a rule that differs from an existing one in its description alone. */
  authorizeDescriptionDiffers: "no-op" | "second-rule" | "updated";
  /** Authorise a rule that differs from an existing one in its priority alone. */
  authorizePriorityDiffers: "second-rule" | "no-op";
  /** Authorise of several permissions of which one is refused. */
  authorizeBatch: "all-or-nothing" | "prefix";
  /** Modify without Policy or Priority: keep the old ones, or fall back to accept and 1. */
  modifyOmitted: "keep" | "reset";
  /** The form in which an IPv4 source or destination is stored and read back. */
  ipv4Stored: "as-sent" | "slash-32-added" | "host-bits-cleared";
  /** Whether `1.2.3.4` and `1.2.3.4/32` are one rule. */
  bareVersusSlash32: "different" | "same";
  /** Reads show the state of this many milliseconds ago; 0 reads its own writes. */
  readAfterWriteMs: number;
  /** What an established session does when its verdict turns to deny. Read by the data plane. */
  establishedSession: "cut" | "until-910-s";
  /** The answer to a call beyond the limit, and whether it carries `x-acs-retry-after`. */
  throttleAnswer: { readonly status: 400 | 403 | 429 | 503; readonly retryAfterHeader: boolean };
  /** An ingress `DestCidrIp`: honoured, accepted but not stored, refused, or stored and ignored by the data plane. */
  destCidrIp: "honoured" | "dropped" | "refused" | "ignored";
  /** DescribeNetworkInterfaces by SecurityGroupId: documented for secondary interfaces alone. */
  eniBySecurityGroup: "secondary" | "all";
  /** A ClientToken whose first call was refused: evaluated anew, or answered with the same refusal. */
  refusedClientToken: "evaluated" | "repeated";
  /** Whether two APIs may use the same ClientToken. */
  clientTokenScope: "api" | "account";
  /** Revoke of one direction by the id of a rule of the other. */
  revokeOtherDirection: "unknown-id" | "revoked";
  /** Whether a revoke by permissions looks at the priority, which the documented identity of a rule leaves out. */
  revokePriority: "matched" | "ignored";
  /** Which permissions of one request are the same: those of one rule, or those that agree in the description too. */
  duplicatePermissions: "same-rule" | "same-rule-and-description";
  /** Modify by a rule id that does not exist. */
  modifyMissingId: "InvalidSecurityGroupRuleId.NotFound" | "SecurityGroupRule.NotFound";
  /** Whether a modified rule keeps its id and creation time. */
  modifiedRule: "same-id" | "new-id";
  /** TCP and UDP with the port range `-1/-1`. */
  allPortsOfTcp: "refused" | "accepted";
  icmpv6: "accepted" | "refused";
  /** Drop rules in an enterprise group. */
  enterpriseDrop: "accepted" | "refused";
  /** A list query by the id of a group that does not exist. */
  listUnknownGroup: "empty" | "InvalidSecurityGroupId.NotFound";
  /** DescribeSecurityGroups by `PageNumber` and `PageSize`, which its documents announce the end of. */
  groupsByPage: "served" | "refused";
  /** The order in which rules are read. */
  ruleOrder: "oldest-first" | "newest-first";
  /** The form of a priority in an answer. Captures show both. */
  priorityForm: "number" | "string";
  /** A prefix list without entries: made, named by rules and emptied again, or one of these refused. A rule on it matches nothing. */
  emptyPrefixList: "allowed" | "not-created" | "not-named" | "never-emptied";
  /** The form of a source port range that was not given. Captures show both. */
  unusedSourcePortRange: "" | "-1/-1";
}

/** The defaults: the natural reading of the documents. */
export const defaultSwitches: EcsSwitches = {
  revokeMissingId: "InvalidParam.SecurityGroupRuleId",
  revokeBatchWithMissingId: "none-deleted",
  revokePermissionsNoMatch: "success",
  authorizeDescriptionDiffers: "no-op",
  authorizePriorityDiffers: "second-rule",
  authorizeBatch: "all-or-nothing",
  modifyOmitted: "keep",
  ipv4Stored: "as-sent",
  bareVersusSlash32: "different",
  readAfterWriteMs: 0,
  establishedSession: "cut",
  throttleAnswer: { status: 400, retryAfterHeader: false },
  destCidrIp: "honoured",
  eniBySecurityGroup: "secondary",
  refusedClientToken: "evaluated",
  clientTokenScope: "api",
  revokeOtherDirection: "unknown-id",
  revokePriority: "matched",
  duplicatePermissions: "same-rule",
  modifyMissingId: "InvalidSecurityGroupRuleId.NotFound",
  modifiedRule: "same-id",
  allPortsOfTcp: "refused",
  icmpv6: "accepted",
  enterpriseDrop: "accepted",
  listUnknownGroup: "empty",
  groupsByPage: "served",
  ruleOrder: "oldest-first",
  priorityForm: "number",
  emptyPrefixList: "allowed",
  unusedSourcePortRange: "",
};

/** For each switch the readings that are not the default; what a test under every reading goes through. */
export const otherReadings: { readonly [Name in keyof EcsSwitches]: readonly EcsSwitches[Name][] } = {
  revokeMissingId: ["InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRule.RuleNotExist"],
  revokeBatchWithMissingId: ["valid-deleted"],
  revokePermissionsNoMatch: ["InvalidSecurityGroupRule.RuleNotExist"],
  authorizeDescriptionDiffers: ["second-rule", "updated"],
  authorizePriorityDiffers: ["no-op"],
  authorizeBatch: ["prefix"],
  modifyOmitted: ["reset"],
  ipv4Stored: ["slash-32-added", "host-bits-cleared"],
  bareVersusSlash32: ["same"],
  readAfterWriteMs: [1_000],
  establishedSession: ["until-910-s"],
  throttleAnswer: [
    { status: 403, retryAfterHeader: false },
    { status: 429, retryAfterHeader: true },
    { status: 503, retryAfterHeader: true },
  ],
  destCidrIp: ["dropped", "refused", "ignored"],
  eniBySecurityGroup: ["all"],
  refusedClientToken: ["repeated"],
  clientTokenScope: ["account"],
  revokeOtherDirection: ["revoked"],
  revokePriority: ["ignored"],
  duplicatePermissions: ["same-rule-and-description"],
  modifyMissingId: ["SecurityGroupRule.NotFound"],
  modifiedRule: ["new-id"],
  allPortsOfTcp: ["accepted"],
  icmpv6: ["refused"],
  enterpriseDrop: ["refused"],
  listUnknownGroup: ["InvalidSecurityGroupId.NotFound"],
  groupsByPage: ["refused"],
  ruleOrder: ["newest-first"],
  priorityForm: ["string"],
  emptyPrefixList: ["not-created", "not-named", "never-emptied"],
  unusedSourcePortRange: ["-1/-1"],
};
