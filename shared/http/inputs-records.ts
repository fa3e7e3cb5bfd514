// What the calls about the audit trail and the monthly audits are asked with.
import * as z from "zod/mini";
import { cursorOf, flag, input, limit, page, told } from "./inputs.ts";

/** Query of `GET /v1/records`. */
export const recordsQuery = () => input({ ...page(), cursor: cursorOf(/^(\d{15}-[0-9a-f]{10}|x[0-9a-f]{1,4096})$/) });

/** Query of `GET /v1/records:export`. */
export const exportQuery = () =>
  input({ ...page(), cursor: cursorOf(/^(\d{15}-[0-9a-f]{10}|x[0-9a-f]{1,4096})?~\d{1,15}$/) });

/** Query of `GET /v1/audits/{month}`. */
export const auditQuery = () =>
  input({
    limit: limit(),
    cursor: cursorOf(/^[a-z0-9-]{1,40}\/[A-Za-z0-9_-]{1,70}$/),
    format: told(
      z._default(z.enum(["json", "xlsx", "html"]), "json"),
      "`xlsx` and `html` are the whole audit, without pages; of very large ones the first rows.",
    ),
    language: told(z._default(z.enum(["en", "zh"]), "en"), "Of `xlsx` and `html`."),
  });

/** Query of `POST /v1/audits/{month}`. */
export const askAuditQuery = () => input({ dryRun: flag() });
