// The routes behind links in messages. They take no token: a link is signed and speaks for the one person it was sent to.
import * as z from "zod/mini";
import { fail } from "../errors/app-error.ts";
import { input, noBody, noQuery, told, words } from "./inputs.ts";
import { askPage, confirmationOf, donePage, failurePage } from "./link-page.ts";
import type { HttpRequest, HttpResponse } from "./message.ts";
import { toAppError } from "./problem.ts";
import { invalid } from "./read-input.ts";
import type { Call, Route } from "./route.ts";

const FORM_MAX = 16 * 1024;

/** The form of the page. */
const linkBody = () =>
  input({
    confirm: told(words(64), "What the page gave."),
    decision: z.enum(["approve", "deny"]),
    reason: z._default(words(2000), ""),
  });
const shared = { path: "/v1/links/{link}", permission: "public", about: "nothing", query: noQuery } as const;

/** The routes, in the order of the API description. */
export const linkRoutes: readonly Route[] = [
  {
    ...shared,
    method: "GET",
    operationId: "openLink",
    summary: "The page behind a link in a message. Looking at it decides nothing.",
    body: noBody,
    idempotent: false,
    handle: (call) =>
      shown(call, async (link) => {
        const { lease } = await call.parts.useCases.openLink(call.parts.app, call.caller.policy, link);
        return askPage(link, lease);
      }),
  },
  {
    ...shared,
    method: "POST",
    operationId: "decideByLink",
    summary: "Approve or deny by the page's form, once.",
    body: linkBody,
    idempotent: false,
    handle: (call) =>
      shown(call, async (link) => {
        const { confirm, ...word } = readForm(call.request);
        if (confirm !== confirmationOf(link)) throw fail("LINK_INVALID");
        if (word.decision === "deny" && word.reason === "") throw invalid("reason", "is missing");
        const { parts, caller } = call;
        const answer = await parts.useCases.decideByLink(parts.app, caller, link, word);
        return donePage(answer.lease);
      }),
  },
];

/** A person reads what goes wrong on a page too. */
async function shown(call: Call, work: (link: string) => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await work(call.params["link"] ?? "");
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.entry.fault !== "caller") throw thrown;
    const { parts, caller } = call;
    if (error.code === "LINK_INVALID") parts.strangers.failed(caller.address ?? "", caller.policy.access);
    return failurePage(error);
  }
}

/** Only what a page of this very site sends as a form; a browser says where a request comes from. */
function readForm({ headers, body }: HttpRequest): z.output<ReturnType<typeof linkBody>> {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") throw fail("LINK_INVALID");
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded")
    throw invalid("the body", "is not the page's form");
  if (body.length > FORM_MAX) throw fail("BODY_TOO_LARGE", { bytes: body.length, max: FORM_MAX });
  const fields = [...new URLSearchParams(Buffer.from(body).toString("utf8"))];
  const parsed = linkBody().safeParse(Object.fromEntries(fields));
  if (!parsed.success || fields.length > 3) throw invalid("the body", "is not the page's form");
  return { ...parsed.data, reason: parsed.data.reason.trim() };
}
