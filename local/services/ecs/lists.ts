// Prefix lists and port lists: how the two kinds differ, their entries in requests, and who names them.
import { type Cidr, parseAddress, parseCidr } from "../../dataplane/cidr.ts";
import { type RpcElement, type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { compressIpv6, parseIpv4 } from "./addresses.ts";
import { type EcsErrorCode, refusal } from "./errors.ts";
import type { EcsLimits } from "./limits.ts";
import type { EcsGroup, EcsList } from "./model.ts";
import { isPortRange } from "./permission-values.ts";

type Kind = EcsList["kind"];

/** Names and refusals of one kind of list. */
export interface ListKind {
  readonly kind: Kind;
  readonly idName: "PrefixListId" | "PortRangeListId";
  readonly nameName: "PrefixListName" | "PortRangeListName";
  readonly valueName: "Cidr" | "PortRange";
  readonly idPrefix: "pl" | "prl";
  readonly missing: EcsErrorCode;
  readonly inUse: EcsErrorCode;
  readonly badName: EcsErrorCode;
  readonly tooManyIds: EcsErrorCode;
  readonly tooMany: EcsErrorCode;
  readonly duplicate: EcsErrorCode;
  readonly listsMax: (limits: EcsLimits) => number;
  readonly entriesMax: (limits: EcsLimits) => number;
}

/** The two kinds. */
export const listKinds: Readonly<Record<Kind, ListKind>> = {
  prefix: {
    kind: "prefix",
    idName: "PrefixListId",
    nameName: "PrefixListName",
    valueName: "Cidr",
    idPrefix: "pl",
    missing: "InvalidPrefixListId.NotFound",
    inUse: "InvalidPrefixListId.AssociationExist",
    badName: "InvalidParameter.PrefixListName",
    tooManyIds: "LimitExceed.PrefixListId",
    tooMany: "LimitExceed.PrefixListPerRegion",
    duplicate: "InvalidParameter.CidrDuplicated",
    listsMax: (limits) => limits.prefixLists,
    entriesMax: (limits) => limits.prefixListEntries,
  },
  "port-range": {
    kind: "port-range",
    idName: "PortRangeListId",
    nameName: "PortRangeListName",
    valueName: "PortRange",
    idPrefix: "prl",
    missing: "InvalidPortRangeListId.NotFound",
    inUse: "InvalidPortRangeListId.AssociationExist",
    badName: "InvalidParameter.PortRangeListName",
    tooManyIds: "LimitExceed.PortRangeListId",
    tooMany: "LimitExceed.PortRangeListPerRegion",
    duplicate: "InvalidParameter.PortRangeDuplicated",
    listsMax: (limits) => limits.portRangeLists,
    entriesMax: (limits) => limits.portRangeListEntries,
  },
};

/** The list of that kind and id in that region. */
export const listNamed = (
  lists: readonly EcsList[],
  wanted: Pick<EcsList, "kind" | "listId" | "regionId">,
): EcsList | undefined =>
  lists.find((list) => list.listId === wanted.listId && list.kind === wanted.kind && list.regionId === wanted.regionId);

/** The groups with a rule that names the list. */
export const associationsOf = (groups: readonly EcsGroup[], listId: string): readonly string[] =>
  groups
    .filter(({ rules }) =>
      rules.some((rule) => [rule.sourcePrefixListId, rule.destPrefixListId, rule.portRangeListId].includes(listId)),
    )
    .map((group) => group.groupId);

const textOf = (block: Cidr): string => `${block.base}/${block.prefix}`;

/** What two spellings of one entry have in common; undefined when the text is no entry of the family. */
const canonicalCidr = (text: string, family: EcsList["addressFamily"]): string | undefined => {
  const isFamily = family === "IPv4" ? parseIpv4(text) !== undefined : compressIpv6(text) !== undefined;
  const block = isFamily ? parseCidr(text) : undefined;
  const address = parseAddress(text.split("/")[0] ?? "");
  return block === undefined || block.base !== address?.base ? undefined : textOf(block);
};

/** One value in canonical form; refuses what is none. */
export const canonicalValue = (text: string, list: Pick<EcsList, "kind" | "addressFamily">): string => {
  if (list.kind === "port-range") {
    if (!isPortRange(text)) throw refusal("InvalidParameter.PortRange");
    return text;
  }
  const canonical = canonicalCidr(text, list.addressFamily);
  if (canonical === undefined) throw refusal("InvalidParameter.CidrMalformed", text);
  return canonical;
};

/** One entry of a request. `key` is equal for two spellings of the same. */
export interface ListEntry {
  readonly key: string;
  readonly value: string;
  readonly description: string;
}

const entriesPerCallMax = 200;

/** The entries of one numbered list of a request, no two alike. */
export const readEntries = (
  params: RpcParameters,
  name: "Entry" | "AddEntry" | "RemoveEntry",
  list: Pick<EcsList, "kind" | "addressFamily">,
): readonly ListEntry[] => {
  const { valueName, duplicate } = listKinds[list.kind];
  const read = ({ fields }: RpcElement): ListEntry => {
    const value = fields[valueName] ?? "";
    const description = fields.Description ?? "";
    if (!isDescription(description, 32)) throw refusal("InvalidDescription.Malformed");
    return { key: canonicalValue(value, list), value, description };
  };
  const entries = structuresOf(params, name).map(read);
  if (entries.length > entriesPerCallMax) throw refusal("LimitExceed.Entry");
  const keys = new Set<string>();
  for (const { key, value } of entries) {
    if (keys.has(key)) throw refusal(duplicate, value);
    keys.add(key);
  }
  return entries;
};

/** Whether a description, which may be empty, has a legal length and beginning. */
export const isDescription = (text: string, max: number): boolean =>
  text === "" || (text.length >= 2 && text.length <= max && !/^https?:\/\//i.test(text));
