// Refusals in the words of the documented table of errors, for requests that an SDK of any language may send.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, startAccount } from "./account.ts";
import { autoIncrement, bareValue, type Fields, infMin, message, rowBytes, type SentCell } from "./bytes.ts";
import { callBytes, errorOf, keyBytes, rawFailureOf, send } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
  await createPairs(account.client, "t");
  await call("CreateTable", tableOf("automatic", [text, { ...integer, 3: 1 }]));
});
afterAll(() => account.server.stop());

const text = { 1: "a", 2: 2 };
const integer = { 1: "b", 2: 1 };
const call = (operation: string, fields: Fields): Promise<string> =>
  rawFailureOf(callBytes(account.server.url, operation, fields));
const tableOf = (name: string, key: Fields[], options: Fields = { 1: -1, 2: 1 }): Fields => ({
  1: { 1: name, 2: key },
  2: { 1: { 1: 0, 2: 0 } },
  3: options,
});
const key = { a: "x", b: 1n };
const write = (operation: "PutRow" | "UpdateRow" | "DeleteRow", row: Buffer, more: Fields = {}): Promise<string> =>
  call(operation, { 1: "t", 2: row, 3: { 1: 0 }, ...more });
const put = (...cells: SentCell[]): Promise<string> => write("PutRow", rowBytes(key, cells));
const update = (...cells: SentCell[]): Promise<string> => write("UpdateRow", rowBytes(key, cells));
const get = (more: Fields, row = keyBytes("x", 1)): Promise<string> => call("GetRow", { 1: "t", 2: row, ...more });
const filtered = (type: number, filter: Fields | Buffer): Promise<string> =>
  get({ 5: 1, 7: message({ 1: type, 2: filter }) });
const single = { 1: 1, 2: "v", 3: bareValue("1"), 4: true, 5: true };
const batch = (...rows: Fields[]): Promise<string> => call("BatchWriteRow", { 1: { 1: "t", 2: rows } });
const value = "1";
const notUtf8 = Buffer.of(3, 1, 0, 0, 0, 0xff);
/** A row whose first value is exchanged, checksums and all, by a text of one byte that is no UTF-8. */
const broken = (): Buffer => {
  const crc = (bytes: Buffer, start = 0): number =>
    bytes.reduce((sum, byte) => {
      let next = sum ^ byte;
      for (let bit = 0; bit < 8; bit++) next = next & 0x80 ? ((next << 1) ^ 7) & 0xff : next << 1;
      return next;
    }, start);
  const cells = [
    [Buffer.from("a"), bareValue("x")],
    [Buffer.from("b"), bareValue(1n)],
    [Buffer.from("v"), notUtf8],
  ].map(([name = Buffer.of(), content = Buffer.of()]) => ({
    bytes: [3, 4, name.length, 0, 0, 0, ...name, 5, content.length, 0, 0, 0, ...content, 10],
    sum: crc(content, crc(name)),
  }));
  const [a, b, v] = cells.map(({ bytes, sum }) => [...bytes, sum]);
  const row = crc(Buffer.of(0), crc(Buffer.from(cells.map(({ sum }) => sum))));
  return Buffer.from([0x75, 0, 0, 0, 1, ...(a ?? []), ...(b ?? []), 2, ...(v ?? []), 9, row]);
};

it.each<readonly [words: string, failing: () => Promise<string>]>([
  [
    "Invalid column type, only STRING,INTEGER,BINARY is allowed.",
    () => call("CreateTable", tableOf("u", [{ 1: "a", 2: 4 }])),
  ],
  [
    "AUTO_INCREMENT primary key must be integer.",
    () => call("CreateTable", tableOf("u", [text, { 1: "c", 2: 2, 3: 1 }])),
  ],
  [
    "The maximum deviation must be in range [0, INT64_MAX/1000000].",
    () => call("CreateTable", tableOf("u", [text], { 1: -1, 2: 1, 5: -1 })),
  ],
  ["No parameter is specified in table options.", () => call("UpdateTable", { 1: "t" })],
  ["No value is given for column name: v.", () => put({ name: "v" })],
  ["OpType cannot be given for column name: v in PutRow.", () => put({ name: "v", op: "delete-all" })],
  ["Timestamp must be in range [0, INT64_MAX/1000).", () => put({ name: "v", value, timestamp: -1 })],
  ["Invalid timestamp. Cell:v.", () => put({ name: "v", value, timestamp: 1 })],
  ["INF_MIN is an invalid type for the attribute column.", () => put({ name: "v", value: infMin })],
  ["Value of column v must be UTF8 encoding.", () => write("PutRow", broken())],
  ["Invalid update row request: missing cells in request", () => update()],
  [
    "Invalid request of put/update row: unexpected RowDeleteMarker in request.",
    () => write("PutRow", rowBytes(key, [{ name: "v", value }], true)),
  ],
  ["Invalid request of delete row: missing RowDeleteMarker in request", () => write("DeleteRow", rowBytes(key))],
  [
    "Invalid delete row request: unexpected cells in request",
    () => write("DeleteRow", rowBytes(key, [{ name: "v", value }], true)),
  ],
  ["BOOLEAN is an invalid type for the primary key.", () => write("PutRow", rowBytes({ a: true, b: 1n }))],
  ["DOUBLE is an invalid type for the primary key.", () => write("PutRow", rowBytes({ a: "x", b: 1.5 }))],
  ["Invalid row-existence expectation: 3.", () => write("PutRow", rowBytes(key), { 3: { 1: 3 } })],
  ["Invalid return type: 3.", () => write("PutRow", rowBytes(key), { 4: { 1: 3 } })],
  [
    "Can't set condition when modify row with pk auto increment",
    () => {
      const condition = { 1: 0, 2: message({ 1: 1, 2: message(single) }) };
      return call("PutRow", { 1: "automatic", 2: rowBytes({ a: "x", b: autoIncrement }), 3: condition });
    },
  ],
  [
    "Invalid expect:EXPECT_EXIST when modify row with pk auto increment",
    () => call("PutRow", { 1: "automatic", 2: rowBytes({ a: "x", b: autoIncrement }), 3: { 1: 1 } }),
  ],
  [
    "Invalid row to delete which with pk auto increment",
    () => call("DeleteRow", { 1: "automatic", 2: rowBytes({ a: "x", b: autoIncrement }, [], true), 3: { 1: 0 } }),
  ],
  ["Attribute column cannot be given while reading data.", () => get({ 5: 1 }, rowBytes(key, [{ name: "v", value }]))],
  ["Delete marker cannot be given.", () => get({ 5: 1 }, rowBytes(key, [], true))],
  ["Invalid max versions: 0. Reason: Max versions must be positive.", () => get({ 5: 0 })],
  ["Start and end time must be given at the same time.", () => get({ 4: { 1: 5 } })],
  ["Specific timestamp cannot be less than 0.", () => get({ 4: { 3: -1 } })],
  ["Specific tiemstamp and time range cannot be given at the same time.", () => get({ 4: { 1: 1, 2: 2, 3: 1 } })],
  ["limit count: 128, column count: 129.", () => get({ 3: Array.from({ length: 129 }, (_, n) => `c${n}`), 5: 1 })],
  ["Invalid column name: 'a-b'.", () => get({ 3: ["good", "a-b"], 5: 1 })],
  ["Invalid column name: ''.", () => call("BatchGetRow", { 1: { 1: "t", 2: keyBytes("x", 1), 4: "", 6: 1 } })],
  ["Deserialize filter failed.", () => get({ 5: 1, 7: Buffer.of(1, 2, 3) })],
  ["Deserialize relation filter failed.", () => filtered(1, Buffer.of(1, 2, 3))],
  ["Deserialize composite filter failed.", () => filtered(2, Buffer.of(1, 2, 3))],
  ["Deserialize column pagination filter failed.", () => filtered(3, Buffer.of(1, 2, 3))],
  ["Invalid type of filter: 4.", () => filtered(4, single)],
  ["Invalid relation operator: 7.", () => filtered(1, { ...single, 1: 7 })],
  [
    "Invalid NOT operator: the number of sub-filters must be 1.",
    () => filtered(2, { 1: 1, 2: [1, 2].map(() => ({ 1: 1, 2: message(single) })) }),
  ],
  [
    "Invalid AND/OR operator: the number of sub-filters must be 2.",
    () => filtered(2, { 1: 2, 2: { 1: 1, 2: message(single) } }),
  ],
  [
    "The count of filter exceeds the max: 10.",
    () => filtered(2, { 1: 2, 2: Array.from({ length: 11 }, () => ({ 1: 1, 2: message(single) })) }),
  ],
  ["Offset in ColumnPaginationFilter must be greater than or equal to 0.", () => filtered(3, { 1: -1, 2: 1 })],
  ["Limit in ColumnPaginationFilter must be greater than 0.", () => filtered(3, { 1: 0, 2: 0 })],
  ["Cell data broken, mismatch header, actual: 118, expect: 117.", () => get({ 5: 1 }, Buffer.of(0x76, 0, 0, 0))],
  ["Input encoded PK broken, length is shorter than expect.", () => get({ 5: 1 }, keyBytes("x", 1).subarray(0, 8))],
  ["The modify type is invalid.", () => batch({ 1: 9, 2: rowBytes(key), 3: { 1: 0 } })],
  [
    "Duplicate rows detected in MultiGet.",
    () => call("BatchGetRow", { 1: { 1: "t", 2: [keyBytes("x", 1), keyBytes("x", 1)], 6: 1 } }),
  ],
])("says %s", async (words, failing) => {
  expect(await failing()).toContain(`400 OTSParameterInvalid ${words.startsWith("limit count") ? "" : words}`);
  expect(await failing()).toContain(words);
});

it("says what is wrong with the message itself, its size and its method", async () => {
  const { url } = account.server;
  const body = Buffer.of(1, 2, 3);
  expect(errorOf(await send(url, { path: "/GetRow", body }))).toBe(
    "400 OTSParameterInvalid Parse PBMessage from RawString failed.",
  );
  expect(errorOf(await send(url, { path: "/GetRow", method: "PUT" }))).toBe(
    "405 OTSMethodNotAllowed Only POST method for requests is supported.",
  );
  expect(errorOf(await send(url, { path: "/GetRow", body: Buffer.alloc(5 * 1024 * 1024 + 1) }))).toBe(
    "413 OTSRequestBodyTooLarge The size of POST data is too large.",
  );
});
