// What every failure of the catalogue says.

type Detail = Readonly<Record<string, string | number>>;

export interface CatalogueEntry {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Would the same request help: never, later, or at once. */
  readonly retry: "never" | "later" | "now";
  readonly fault: "caller" | "cloud" | "us";
  readonly message: (d: Detail) => string;
  readonly remedy: (d: Detail) => string;
}

export const entry = (
  status: number,
  retry: CatalogueEntry["retry"],
  fault: CatalogueEntry["fault"],
  message: CatalogueEntry["message"],
  remedy: CatalogueEntry["remedy"],
): CatalogueEntry => ({ status, retry, fault, message, remedy });
