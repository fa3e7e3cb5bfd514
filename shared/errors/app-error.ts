// One error class for every failure with a name; `fail` makes it from the catalogue.
import { catalogue, type ErrorCode } from "./catalogue.ts";
import type { CatalogueEntry } from "./catalogue-entry.ts";

/** A failure a person can act on. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, detail: Readonly<Record<string, string | number>>, cause?: unknown) {
    super(catalogue[code].message(detail), { cause });
    this.code = code;
    this.detail = detail;
  }

  get entry(): CatalogueEntry {
    return catalogue[this.code];
  }

  get remedy(): string {
    return this.entry.remedy(this.detail);
  }
}

/** Makes the error of a code; throw what it returns. */
export const fail = (
  code: ErrorCode,
  detail: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): AppError => new AppError(code, detail, cause);

/** True where a stored row does not read as what it should be: what it holds waits until somebody puts it right. */
export const isUnreadable = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === "STATE_UNREADABLE";
