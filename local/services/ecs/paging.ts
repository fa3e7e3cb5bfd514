// Token paging of the read operations. A token is the position of the next item: pages are no snapshot.

import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { type EcsErrorCode, refusal } from "./errors.ts";

/** Bounds of `MaxResults` for one operation. Values under `floor` act as `floor`. */
export interface PageBounds {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
  readonly floor?: number;
  readonly outOfBounds: EcsErrorCode;
}

const encodeToken = (scope: string, offset: number): string =>
  Buffer.from(JSON.stringify([scope, offset])).toString("base64url");

const decodeToken = (scope: string, token: string): number => {
  try {
    const found: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(found) && found[0] === scope && Number.isSafeInteger(found[1]) && found[1] > 0) return found[1];
  } catch {
    // Falls through to the refusal.
  }
  throw refusal("InValidParameter.NextToken");
};

/** One page of `items`, and the token of the next one; empty on the last. `scope` keeps tokens of other reads out. */
export const pageOf = <T>(
  items: readonly T[],
  params: RpcParameters,
  scope: string,
  bounds: PageBounds,
): { items: readonly T[]; nextToken: string; maxResults: number } => {
  const text = params.MaxResults ?? String(bounds.fallback);
  const asked = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(asked >= bounds.min && asked <= bounds.max)) throw refusal(bounds.outOfBounds, "MaxResults");
  const maxResults = Math.max(asked, bounds.floor ?? 0);
  const offset = params.NextToken === undefined || params.NextToken === "" ? 0 : decodeToken(scope, params.NextToken);
  const end = offset + maxResults;
  const nextToken = end < items.length ? encodeToken(scope, end) : "";
  return { items: items.slice(offset, end), nextToken, maxResults };
};

/** The page that `PageNumber` and `PageSize` ask for, of at most `sizeMax`; undefined when neither is there. */
export const numberedPageOf = <T>(
  items: readonly T[],
  params: RpcParameters,
  sizeMax: number,
): { items: readonly T[]; paging: Record<string, unknown> } | undefined => {
  if (params.PageNumber === undefined && params.PageSize === undefined) return undefined;
  const number = Number(params.PageNumber ?? "1");
  const size = Number(params.PageSize ?? "10");
  if (!(Number.isSafeInteger(number) && number >= 1)) throw refusal("InvalidParameter", "PageNumber");
  if (!(Number.isSafeInteger(size) && size >= 1 && size <= sizeMax)) throw refusal("InvalidParameter", "PageSize");
  return {
    items: items.slice((number - 1) * size, number * size),
    paging: { TotalCount: items.length, PageNumber: number, PageSize: size, NextToken: "" },
  };
};

/** The page by number where that is asked for, else by token; with what an answer says of its paging. */
export const pageByEither = <T>(
  items: readonly T[],
  params: RpcParameters,
  scope: string,
  bounds: PageBounds & { readonly sizeMax: number },
): { items: readonly T[]; paging: Record<string, unknown> } => {
  const numbered = numberedPageOf(items, params, bounds.sizeMax);
  if (numbered !== undefined) return numbered;
  const page = pageOf(items, params, scope, bounds);
  return { items: page.items, paging: { TotalCount: items.length, NextToken: page.nextToken } };
};
