// What failed ECS calls allow us to conclude.
import { describe, expect, it } from "vitest";
import { ecsFailure, isBrokenConnection, kindOfCode } from "../../../shared/adapters/alibaba/ecs-failures.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";

describe("an ECS error code", () => {
  it.each([
    ["InvalidParam.SecurityGroupRuleId", 400, "ruleGone"],
    ["InvalidSecurityGroupRuleId.NotFound", 404, "ruleGone"],
    ["InvalidSecurityGroupRule.RuleNotExist", 400, "ruleGone"],
    ["SecurityGroupRule.NotFound", 404, "ruleGone"],
    ["InvalidSecurityGroupId.NotFound", 400, "groupGone"],
    ["InvalidSecurityGroupId.NotFound", 404, "groupGone"],
    ["AuthorizationLimitExceed", 403, "quota"],
    ["AuthorizedGroupRule.LimitExceed", 400, "quota"],
    ["LimitExceed.PrefixListAssociationResource", 403, "quota"],
    ["InvalidOperation.ResourceManagedByCloudProduct", 403, "refused"],
    ["InvalidOperation.SecurityGroupNotAuthorized", 401, "refused"],
    ["Forbidden.RAM", 403, "refused"],
    ["OperationDenied.NoPermission", 403, "refused"],
    ["InvalidAccessKeyId.NotFound", 404, "refused"],
    ["SignatureDoesNotMatch", 400, "refused"],
    ["InvalidSecurityToken.Expired", 400, "refused"],
    ["Throttling", 400, "throttled"],
    ["Throttling.User", 403, "throttled"],
    ["Throttling.Resource", 429, "throttled"],
    ["Rejected.Throttling", 503, "throttled"],
    ["ServiceUnavailable", 503, "unknown"],
    ["InternalError", 500, "unknown"],
    ["InternalError.Dispatch", 500, "unknown"],
    ["IdempotentProcessing", 403, "unknown"],
    ["LastTokenProcessing", 403, "unknown"],
    ["IdempotentParameterMismatch", 400, "invalid"],
    ["InvalidParam.PortRange", 400, "invalid"],
    ["InvalidPriority.ValueNotSupported", 400, "invalid"],
    ["SomethingOfTheFuture", 409, "invalid"],
    ["SomethingOfTheFuture", 500, "unknown"],
  ] as const)("%s with status %i means %s", (code, status, kind) => {
    expect(kindOfCode(code, status)).toBe(kind);
  });
});

describe("anything thrown by the SDK", () => {
  const url = "POST https://ecs.example/?ClientToken=tok&Permissions.1.SourceCidrIp=203.0.113.7%2F32 failed.";

  it.each([
    ["a read time-out", { name: "RequestTimeoutError", message: `ReadTimeout(3000). ${url}` }],
    ["a connect time-out", { name: "RequestTimeoutError", message: `ConnectTimeout: Connect ${url}` }],
    ["a reset", { name: "Error", code: "ECONNRESET", message: `socket hang up${url}` }],
    ["an HTML page", new SyntaxError("Unexpected token '<', \"<html>\"... is not valid JSON")],
    ["an empty body", new SyntaxError("Unexpected end of JSON input")],
    ["an answer without a code", { name: "ServerError", statusCode: 502, code: "undefined", message: url }],
    ["a text", "boom"],
  ])("%s is unknown and tells no parameters", (_what, thrown) => {
    const failure = ecsFailure("AuthorizeSecurityGroup", thrown);
    expect(failure.kind).toBe("unknown");
    expect(failure.cause).toBeUndefined();
    expect(JSON.stringify([failure.message, failure.stack])).not.toMatch(/ClientToken|203\.0\.113/);
  });

  it("keeps the cloud's code, request id and words, but not the string it signed", () => {
    const failure = ecsFailure("RevokeSecurityGroup", {
      name: "ClientError",
      statusCode: 400,
      code: "SignatureDoesNotMatch",
      requestId: "R-1",
      message: url,
      data: { Message: "Specified signature is not matched. server string to sign is:POST&ClientToken=tok" },
    });
    expect(failure).toMatchObject({ kind: "refused", cloudCode: "SignatureDoesNotMatch", requestId: "R-1" });
    expect(failure.message).toContain("Specified signature is not matched.");
    expect(failure.message).not.toContain("ClientToken");
  });

  it("that is a CloudFailure already passes unchanged", () => {
    const failure = new CloudFailure("throttled", "X");
    expect(ecsFailure("Y", failure)).toBe(failure);
  });

  it("is a broken connection only without an answer", () => {
    expect(isBrokenConnection({ code: "ECONNRESET" })).toBe(true);
    expect(isBrokenConnection({ code: "ECONNRESET", statusCode: 500 })).toBe(false);
    expect(isBrokenConnection({ name: "RequestTimeoutError" })).toBe(false);
    expect(isBrokenConnection(null)).toBe(false);
  });
});
