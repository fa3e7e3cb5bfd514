// A refusal as the log service answers it.

/** The body is `{"errorCode", "errorMessage"}`. */
export class SlsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
