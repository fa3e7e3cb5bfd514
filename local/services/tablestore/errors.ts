// The service's errors: HTTP status, code and message, as its documentation words them.

/** An error the caller sees. */
export class OtsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** 400: a malformed or out-of-limit argument. */
export const parameterInvalid = (message: string): OtsError => new OtsError(400, "OTSParameterInvalid", message);

/** 400: a timestamp that no cell can have. */
export const timestampOutOfRange = (): OtsError => parameterInvalid("Timestamp must be in range [0, INT64_MAX/1000).");

/** 400: key names, types or count differ from the table's. */
export const invalidPrimaryKey = (message: string): OtsError => new OtsError(400, "OTSInvalidPK", message);

/** 403: unknown key, wrong signature, wrong body digest, unknown instance. */
export const authFailed = (message: string): OtsError => new OtsError(403, "OTSAuthFailed", message);

/** 403: a policy does not let the caller. */
export const noPermission = (): OtsError =>
  new OtsError(
    403,
    "OTSNoPermissionAccess",
    "You have no permission to access the requested resource, please contact the resource owner.",
  );

/** 403: the row is not as the condition wants it; nothing was written. */
export const conditionCheckFail = (): OtsError => new OtsError(403, "OTSConditionCheckFail", "Condition check failed.");

/** 404: no such table. */
export const tableAbsent = (): OtsError => new OtsError(404, "OTSObjectNotExist", "Requested table does not exist.");

/** 409: the name is taken. */
export const tableExists = (): OtsError =>
  new OtsError(409, "OTSObjectAlreadyExist", "Requested table already exists.");

/** 503: the write cannot be kept now; it may be done all the same. */
export const serverUnavailable = (): OtsError => new OtsError(503, "OTSServerUnavailable", "Server is not available.");

/** 500: something this program did not foresee. */
export const internalError = (): OtsError => new OtsError(500, "OTSInternalServerError", "Internal server error.");

/** Turns what a reader of the wire format threw into the caller's error; the service's own errors stay as they are. */
export function asParameterError(error: unknown): OtsError {
  if (error instanceof OtsError) return error;
  return parameterInvalid(error instanceof Error ? error.message : String(error));
}
