// What the calls about tokens are asked with.
import * as z from "zod/mini";
import { ROLES } from "../domain/permission.ts";
import { cursorOf, input, like, limit, orNull, someWords, told, words } from "./inputs.ts";

const names = () => z.array(someWords(128)).check(z.maxLength(1000));

const scope = () =>
  input({
    groups: told(z._default(names(), []), "Groups by id or name."),
    tags: z._default(z.array(like(/^[^=]+=/, "is not key=value").check(z.maxLength(256))).check(z.maxLength(1000)), []),
    applications: z._default(names(), []),
  });

/** Body of `POST /v1/tokens`. */
export const tokenBody = () =>
  input({
    principal: told(
      like(
        /^[A-Za-z0-9][A-Za-z0-9@._/+-]{0,127}$/,
        "is not 1 to 128 letters, digits and @._/+-, a letter or digit first",
      ),
      "Whom it speaks for: one name for each person.",
    ),
    roles: z.array(z.enum(ROLES)).check(z.minLength(1), z.maxLength(ROLES.length)),
    scope: told(orNull(scope()), "What part of the account it is for; null: all of it."),
    days: told(
      z._default(z.int().check(z.gte(1), z.lte(3650)), 90),
      "Days until it expires, up to access.tokenDaysMax of the policy.",
    ),
    note: told(z._default(words(200), ""), "What it is for."),
  });

/** Body of `POST /v1/tokens/{id}:rotate`. */
export const rotateBody = () =>
  input({
    overlap: told(
      z._default(z.int().check(z.gte(0), z.lte(7 * 86_400)), 3600),
      "Seconds that the old token goes on, at most.",
    ),
  });

/** Query of `GET /v1/tokens`. */
export const tokensQuery = () => input({ limit: limit(), cursor: cursorOf(/^[0-9a-f]{16}$/) });
