// What a failed ECS call allows us to conclude: from whatever the SDK throws to one CloudFailure.
import { CloudFailure, type CloudFailureKind } from "../../ports/firewall.ts";

/** Codes with a meaning of their own. Codes not listed go by `byShape`. Spelling is the service's. */
const KIND_BY_CODE: Readonly<Record<string, CloudFailureKind>> = {
  "InvalidParam.SecurityGroupRuleId": "ruleGone",
  "InvalidSecurityGroupRuleId.NotFound": "ruleGone",
  "InvalidSecurityGroupRule.RuleNotExist": "ruleGone",
  "SecurityGroupRule.NotFound": "ruleGone",
  "InvalidGroupAuthItem.NotFound": "ruleGone",

  "InvalidSecurityGroupId.NotFound": "groupGone",
  "InvalidSecurityGroup.NotFound": "groupGone",

  AuthorizationLimitExceed: "quota",
  "AuthorizedGroupRule.LimitExceed": "quota",
  "LimitExceed.PrefixListAssociationResource": "quota",

  "InvalidOperation.ResourceManagedByCloudProduct": "refused",
  "InvalidOperation.SecurityGroupNotAuthorized": "refused",
  "InvalidOperation.DeletionProtection": "refused",
  "OperationDenied.NoPermission": "refused",
  "Forbidden.RAM": "refused",
  SignatureDoesNotMatch: "refused",
  IncompleteSignature: "refused",
  "InvalidTimeStamp.Expired": "refused",
  "InvalidTimeStamp.Format": "refused",

  // A conflict with somebody else's running request is not applied.
  OperationConflict: "throttled",

  // The first request with this token, or this nonce, may be under way or done.
  IdempotentProcessing: "unknown",
  LastTokenProcessing: "unknown",
  SignatureNonceUsed: "unknown",
  ServiceUnavailable: "unknown",
  InternalError: "unknown",
};

/** Starts of codes that mean "you may not", whatever follows. */
const REFUSED_PREFIXES = ["Forbidden", "NoPermission", "InvalidAccessKeyId", "InvalidSecurityToken"];

/** Longest piece of the cloud's own message that we repeat. */
const MESSAGE_LENGTH_MAX = 200;

/** What the cloud's error code and HTTP status allow us to conclude. */
export function kindOfCode(code: string, status: number | null): CloudFailureKind {
  const known = KIND_BY_CODE[code];
  if (known !== undefined) return known;
  if (/Throttling|Rejected/.test(code) || status === 429) return "throttled";
  if (code.startsWith("InternalError") || code.startsWith("ServiceUnavailable")) return "unknown";
  if (REFUSED_PREFIXES.some((prefix) => code.startsWith(prefix))) return "refused";
  return status !== null && status >= 400 && status < 500 ? "invalid" : "unknown";
}

/**
 * The failure behind anything an ECS call threw. The SDK's own message is not repeated and not kept as a cause: for
 * network errors it holds the whole URL with every parameter.
 */
export function ecsFailure(operation: string, thrown: unknown): CloudFailure {
  if (thrown instanceof CloudFailure) return thrown;
  const error = typeof thrown === "object" && thrown !== null ? (thrown as Readonly<Record<string, unknown>>) : {};
  const status = typeof error["statusCode"] === "number" ? error["statusCode"] : null;
  const code = typeof error["code"] === "string" && error["code"] !== "undefined" ? error["code"] : null;
  const requestId =
    typeof error["requestId"] === "string" && error["requestId"] !== "undefined" ? error["requestId"] : null;
  if (status === null || code === null) {
    // No answer of the service: a time-out, a reset, an HTML page, an empty body.
    const what = code ?? (typeof error["name"] === "string" ? error["name"] : "unreadable answer");
    return new CloudFailure("unknown", operation, { requestId, message: `${operation}: no usable answer (${what})` });
  }
  return new CloudFailure(kindOfCode(code, status), operation, {
    cloudCode: code,
    requestId,
    message: `${operation} failed: ${code}${cloudMessage(error["data"])}`,
  });
}

/** True for a connection that broke before or while the request went out; a reading call may try once more. */
export function isBrokenConnection(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, statusCode } = thrown as { readonly code?: unknown; readonly statusCode?: unknown };
  return statusCode === undefined && (code === "ECONNRESET" || code === "EPIPE");
}

function cloudMessage(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  const message = (data as Readonly<Record<string, unknown>>)["Message"];
  if (typeof message !== "string" || message === "") return "";
  // Signature errors repeat the string that was signed, parameters included.
  const told = message.split(/server string to sign|string to sign/i)[0] ?? "";
  return `: ${told.slice(0, MESSAGE_LENGTH_MAX).trim()}`;
}
