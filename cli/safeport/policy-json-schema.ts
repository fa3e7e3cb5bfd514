// The policy document's JSON Schema, for editors.
import * as z from "zod/mini";
import { policySchema } from "../../shared/config/document-schema.ts";

/** JSON Schema of the document as people write it. */
export function policyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(policySchema, { io: "input" }), title: "safeport policy" };
}
