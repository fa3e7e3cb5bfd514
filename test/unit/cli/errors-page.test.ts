// The generated page of failures against the catalogue.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ERRORS_PAGE, errorsPage } from "../../../cli/docs/errors-page.ts";
import { catalogue } from "../../../shared/errors/catalogue.ts";

describe("docs/errors.md", () => {
  test("is what the catalogue says; `npx tsx cli/docs/main.ts` writes it anew", () => {
    expect(readFileSync(ERRORS_PAGE, "utf8")).toBe(errorsPage());
  });

  test("no two failures share a message", () => {
    const messages = Object.values(catalogue).map((entry) => entry.message({}));
    expect(new Set(messages).size).toBe(messages.length);
  });
});
