// Which mode allows less than which.
import { expect, test } from "vitest";
import { isStricter, MODES } from "../../../shared/domain/mode.ts";

test("modes allow less and less: normal, close-only, halt", () => {
  const stricter = MODES.flatMap((mode) =>
    MODES.filter((other) => isStricter(mode, other)).map((other) => `${mode} < ${other}`),
  );
  expect(stricter).toEqual(["close-only < normal", "halt < normal", "halt < close-only"]);
});
