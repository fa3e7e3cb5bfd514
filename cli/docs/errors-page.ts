// The page of all failures, made from the catalogue.
import { catalogue } from "../../shared/errors/catalogue.ts";
import type { CatalogueEntry } from "../../shared/errors/catalogue-entry.ts";

/** Where the page lives, from the project's folder. */
export const ERRORS_PAGE = "docs/errors.md";

const FAULTS = { caller: "the caller", cloud: "the cloud", us: "safeport" } as const;
const RETRIES = { never: "does not help", later: "helps later", now: "helps at once" } as const;

/** The page's text. `<name>` stands for a value. */
export function errorsPage(): string {
  const sections = Object.entries(catalogue)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, entry]) => section(code, entry));
  return `${[
    "# Errors",
    "",
    "Made from `shared/errors/catalogue.ts` by `npx tsx cli/docs/main.ts`; a test fails when this page is stale. Codes are",
    "permanent once released. Over HTTP a failure is `application/problem+json` with `code`, `message`, `remedy`, `retry`,",
    "`requestId` and `values`.",
    "",
    ...sections,
  ].join("\n")}\n`;
}

function section(code: string, entry: CatalogueEntry): string {
  const names = new Proxy<Record<string, string>>({}, { get: (_target, name) => `<${String(name)}>` });
  return [
    `## ${code}`,
    "",
    `${entry.message(names)}`,
    "",
    `- What to do: ${entry.remedy(names)}`,
    `- HTTP status ${entry.status}; the same request again ${RETRIES[entry.retry]}; lies with ${FAULTS[entry.fault]}.`,
    "",
  ]
    .join("\n")
    .replaceAll("<", "\\<");
}
