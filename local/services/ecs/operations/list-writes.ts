// Create, modify and delete a list of either kind.
import { refusal } from "../errors.ts";
import { associationsOf, canonicalValue, isDescription, type ListKind, listNamed, readEntries } from "../lists.ts";
import type { EcsList } from "../model.ts";
import {
  newId,
  type Operation,
  type OperationContext,
  requireParameter,
  requireRegion,
  timestamp,
} from "../operation.ts";
import { readTags } from "../tags.ts";

const isName = (text: string): boolean =>
  text.length >= 2 && text.length <= 128 && /^\p{L}[\p{L}\p{N}:_.-]*$/u.test(text) && !/^(https?:|com\.a)/i.test(text);

const readText = ({ params }: OperationContext, { nameName, badName }: ListKind, old?: EcsList) => {
  const name = params[nameName] ?? old?.name ?? requireParameter(params, nameName);
  if (!isName(name)) throw refusal(badName);
  const description = params.Description ?? old?.description ?? "";
  if (!isDescription(description, 256)) throw refusal("InvalidDescription.Malformed");
  return { name, description };
};

const readMaxEntries = ({ params, limits }: OperationContext, { entriesMax }: ListKind): number => {
  const text = requireParameter(params, "MaxEntries");
  const maxEntries = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (maxEntries < 1 || maxEntries > entriesMax(limits)) throw refusal("InvalidParameter", "MaxEntries");
  return maxEntries;
};

const readFamily = (context: OperationContext, { kind }: ListKind): EcsList["addressFamily"] => {
  if (kind === "port-range") return "";
  const family = requireParameter(context.params, "AddressFamily");
  if (family !== "IPv4" && family !== "IPv6") throw refusal("InvalidParameter.AddressFamily");
  return family;
};

/** The list a call names, in its region. */
export const requireList = (context: OperationContext, lists: readonly EcsList[], of: ListKind): EcsList => {
  const regionId = requireRegion(context);
  const listId = requireParameter(context.params, of.idName);
  const list = listNamed(lists, { kind: of.kind, listId, regionId });
  if (list === undefined) throw refusal(of.missing);
  return list;
};

/** Creates a list; its id is the answer. */
export const createList = (of: ListKind): Operation => ({
  takesClientToken: true,
  run: (context) => {
    const { params, draft, limits, random, now, switches } = context;
    const regionId = requireRegion(context);
    const addressFamily = readFamily(context, of);
    const maxEntries = readMaxEntries(context, of);
    const { kind } = of;
    const entries = readEntries(params, "Entry", { kind, addressFamily });
    if (entries.length > maxEntries) throw refusal("LimitExceed.MaxEntries");
    if (kind === "prefix" && entries.length === 0 && switches.emptyPrefixList === "not-created")
      throw refusal("InvalidParameter", "Entry");
    const present = draft.lists().filter((list) => list.kind === kind && list.regionId === regionId);
    if (present.length >= of.listsMax(limits)) throw refusal(of.tooMany);
    const listId = newId(random, of.idPrefix);
    draft.putList({
      regionId,
      listId,
      kind,
      ...readText(context, of),
      addressFamily,
      maxEntries,
      entries: entries.map(({ value, description }) => ({ value, description })),
      tags: readTags(params),
      creationTime: timestamp(now),
    });
    return { [of.idName]: listId };
  },
});

/** Changes name, description and entries. An entry that is there already gets the new description. */
export const modifyList = (of: ListKind): Operation => ({
  takesClientToken: of.kind === "port-range",
  run: (context) => {
    const { params, draft, switches } = context;
    const list = requireList(context, draft.lists(), of);
    const removed = readEntries(params, "RemoveEntry", list);
    const added = readEntries(params, "AddEntry", list);
    const clash = added.find(({ key }) => removed.some((entry) => entry.key === key));
    if (clash !== undefined) throw refusal(of.duplicate, clash.value);
    const entries = new Map(list.entries.map((entry) => [canonicalValue(entry.value, list), entry]));
    for (const { key } of removed) entries.delete(key);
    for (const { key, value, description } of added) {
      entries.set(key, { value: entries.get(key)?.value ?? value, description });
    }
    if (entries.size > list.maxEntries) throw refusal("LimitExceed.MaxEntries");
    if (list.kind === "prefix" && entries.size === 0 && switches.emptyPrefixList === "never-emptied")
      throw refusal("InvalidParameter", "RemoveEntry");
    draft.putList({ ...list, ...readText(context, of, list), entries: [...entries.values()] });
    return {};
  },
});

/** Deletes a list that no rule names. */
export const deleteList = (of: ListKind): Operation => ({
  run: (context) => {
    const { draft } = context;
    const { listId } = requireList(context, draft.lists(), of);
    if (associationsOf(draft.groups(), listId).length > 0) throw refusal(of.inUse);
    draft.deleteList(listId);
    return {};
  },
});
