// esbuild plugins that make the vendor SDKs fit a function: correct in strict mode, and without what no handler calls.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Packages that the SDKs load and that no call of ours reaches. Reaching one by mistake throws and names it. */
const NEVER_CALLED = [
  "ali-oss", // fc2: uploads of code
  "axios", // fc2: the same
  "ws", // web sockets
  "http-proxy-agent",
  "https-proxy-agent",
  "socks-proxy-agent",
  "xml2js", // answers in XML
  "moment", // date arithmetic of the SDK's own helpers
  "lodash", // merging of the SDK's own helpers
  "flatbuffers", // SQL answers of Tablestore
  "@alicloud/gateway-spi", // calls through a gateway of the caller's own
];

/** Files of packages that are called, by the package's name: web sockets, files, forms, dates, answers in XML, searches, SQL, services. */
const NEVER_LOADED = [
  [/[\\/]@darabonba[\\/]typescript[\\/]/, /^\.\/(websocket|file|form|date|xml|url)$/],
  [/[\\/]@alicloud[\\/]openapi-core[\\/]/, /^\.\/(websocketUtils|Sseresponse)$/],
  [/[\\/]tablestore[\\/]lib[\\/]/, /^\.\/(search|sql)$|\/sql_generated(\.js)?$/],
  [/[\\/]protobufjs[\\/]src[\\/]/, /^\.\/rpc$/],
];

/** What the SDKs tell a developer who asks for it: nothing here, in as few words. */
const SILENT = "module.exports = () => Object.assign(() => undefined, { enabled: false });";

const stub = (name) => `
const missing = () => { throw new Error(${JSON.stringify(`${name} is left out of this bundle`)}); };
module.exports = new Proxy(function () {}, {
  get: (_target, key) => (key === "__esModule" || key === "default" || typeof key === "symbol" ? undefined : missing),
  apply: missing,
  construct: missing,
});`;

/** Puts a stub in the place of every package that is never called. */
export const leaveOut = {
  name: "leave-out",
  setup(build) {
    const filter = new RegExp(`^(${NEVER_CALLED.join("|")})(/|$)`);
    build.onResolve({ filter }, ({ path }) => ({
      path: filter.exec(path)?.[1],
      namespace: "left-out",
    }));
    build.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({ contents: stub(path), loader: "js" }));
    for (const [from, path] of NEVER_LOADED)
      build.onResolve({ filter: path }, ({ path: file, importer }) =>
        from.test(importer) ? { path: file, namespace: "left-out" } : undefined,
      );
    build.onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: "silent" }));
    build.onLoad({ filter: /.*/, namespace: "silent" }, () => ({ contents: SILENT, loader: "js" }));
    // fc2 carries its whole client a second time for old versions of Node.
    build.onResolve({ filter: /^\.\/es5\/client\.js$/ }, () => ({ path: "fc2-es5", namespace: "left-out" }));
  },
};

/** Loop and scratch variables that the Tablestore SDK assigns without declaring them: globals, or an error in strict mode. */
const UNDECLARED = { "filter.js": ["pro"], "encoder.js": ["sub"], "plian_buffer_builder.js": ["key", "size"] };

/** The deprecated constructor warns on every start once the SDK is no longer inside node_modules, and to warn took 3 ms of it. */
const BUFFER_CONSTRUCTOR = /\bnew (?:TableStore\.util\.)?Buffer\(/g;
const bufferMaker =
  "function bufferOf(value, encoding) { return typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value, encoding); }";

/**
 * What goes byte by byte through a function each, which Node's compiler for hot loops then took for worth compiling: 5 in a hundred of a
 * first lease, for some 10 kB. Here eight bytes of a checksum are one step, and numbers are written whole.
 */
const BYTE_BY_BYTE = {
  "plain_buffer_crc8.js": {
    _update: `function (crc, bytes) {
        var buffer = bufferOf(bytes), table = CRC8_TABLE, i = 0;
        for (var end = buffer.length - 7; i < end; i += 8) {
            ${[0, 1, 2, 3, 4, 5, 6, 7].map((at) => `crc = table[crc ^ buffer[i + ${at}]];`).join(" ")}
        }
        for (; i < buffer.length; i++) crc = table[crc ^ buffer[i]];
        return crc;
    }`,
  },
  "plain_buffer_stream.js": {
    writeRawLittleEndian32: "function (value) { this.pos = this.buffer.writeInt32LE(value | 0, this.pos); }",
    writeRawLittleEndian64: "function (bytes) { this.buffer.set(bytes, this.pos); this.pos += bytes.length; }",
  },
};

function inWholeSteps(source, path) {
  return Object.entries(BYTE_BY_BYTE[basename(path)] ?? {}).reduce((text, [name, better]) => {
    const method = new RegExp(`^ {4}${name}: function [\\s\\S]*?^ {4}\\}`, "m");
    expectIn(text, method, path);
    return text.replace(method, () => `    ${name}: ${better}`);
  }, source);
}

/** One function of the object that codes all operations, told by its indentation. */
const CODER = /^ {4}(\w+)(?:: function)? ?\([\w, ]*\) ?\{\n[\s\S]*?^ {4}\},?\n/gm;
/** Of the functions that only some operations need, those that ours do; all others are about search. */
const CODED = [
  "_makeCondition",
  "_makeColumnCondition",
  "_makeCompositeCondition",
  "_makeSingleColumnCondition",
  "_makeColumnPaginationFilter",
  "_parseRowItem",
  "_parseBatchGetRow",
  "_parseBatchGetRowItem",
  "_parseBatchWriteRow",
  "_parseWriteRowItem",
];
const isCalled = (name) => {
  if (/^_(make|parse|constr)/.test(name)) return CODED.includes(name);
  if (!/^(en|de)code[A-Z]/.test(name)) return true;
  return MESSAGES.some((message) => message.replace(/Request$|Response$/, "") === name.slice(6));
};

/** The SDK's own way to send what it has coded and signed, which we do ourselves. */
const SENDING =
  /^require\('\.\/(?:config|http|sequential_executor|event_listeners|request|http\/node|retry\/\w+|client|search|sql)'\);\n|^TableStore\.events = .*\n/gm;

/**
 * Declares those variables, and makes buffers the present way; leaves out what sends, and what codes operations that functions do not
 * call.
 */
export const tablestoreSource = tablestoreReader((name) => isCalled(name));

/** The same with every operation, for the command line. */
export const tablestoreWhole = tablestoreReader(null);

function tablestoreReader(isKept) {
  return {
    name: "tablestore-source",
    setup(build) {
      build.onLoad({ filter: /[\\/]tablestore[\\/]lib[\\/].*\.js$/ }, async ({ path }) => {
        if (path.endsWith("tablestore_compiled_proto.js")) return undefined;
        const source = inWholeSteps(await readFile(path, "utf8"), path);
        const names = UNDECLARED[basename(path)] ?? [];
        for (const name of names) expectIn(source, new RegExp(`\\b${name}\\b`), path);
        const isCoder = isKept !== null && /^(en|de)coder\.js$/.test(basename(path));
        const isCore = isKept !== null && basename(path) === "core.js";
        const coding = isCoder ? source.replace(CODER, (whole, name) => (isKept(name) ? whole : "")) : source;
        const kept = isCore ? coding.replace(SENDING, "") : coding;
        if ((isCoder || isCore) && kept.length > source.length * 0.8)
          throw new Error(`${basename(path)} has a new layout`);
        const declared = names.length === 0 ? "" : `var ${names.join(", ")};`;
        return {
          contents: `${declared}${bufferMaker}\n${kept.replace(BUFFER_CONSTRUCTOR, "bufferOf(")}`,
          loader: "js",
        };
      });
      build.onLoad({ filter: /[\\/]int64-buffer[\\/]int64-buffer\.js$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        expectIn(source, /storage = BUFFER;[\s\S]*new BUFFER\(8\)/, path);
        const contents = source.replace("new BUFFER(8)", "BUFFER.alloc(8)").replace("storage = BUFFER;", "");
        return { contents, loader: "js" };
      });
      build.onLoad({ filter: /[\\/]tablestore[\\/].*[\\/]protobufjs[\\/]src[\\/]reader\.js$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        expectIn(source, /new this\.buf\.constructor\(0\)/, path);
        return { contents: source.replace("new this.buf.constructor(0)", "Buffer.alloc(0)"), loader: "js" };
      });
    },
  };
}

/** What the compiler put at the head of each model: how a module that is none of its own would be taken in. All of these are. */
const IMPORT_HELPERS = /^var __createBinding = [\s\S]*?^(?=Object\.defineProperty\(exports, "__esModule")/m;

/** Of the two files that every model is derived from: what a model is. All else in them are ways to call, which we do ourselves. */
const BASE_MODEL = /^(?:function (?:isModelClass|getValue|toMap)\(|var Model = |var __extends = )[\s\S]*?^\}.*\n/gm;

/** What a model can check of itself, which nobody asks it. */
const MODEL_CHECKS = /^ {4}Model\.validate\w+ = function[\s\S]*?^ {4}\};\n/gm;

/** What the SDK's helpers have besides: configuration, and signatures and parameters of other styles and versions. */
const OTHER_HELPERS =
  /^class (\w+) extends \$tea\.Model \{[\s\S]*?^\}\nexports\.\1 = \1;\n|^const (?:\$dara|credentials_1) = .*\n|^ {4}static (?:convert|getEndpoint|getThrottlingTimeLeft|applyRetryHeaders|getStringToSign|getROASignature|toForm|getDateUTCString|getRPCSignature|arrayToStringWithSpecifiedStyle|stringifyMapValue|toArray|getEndpointRules|parseToMap|mapToFlatStyle)\([\s\S]*?^ {4}\}\n/gm;

/** Leaves those out: of the SDK of the other services there are its models and what signs. */
export const openApiSource = {
  name: "openapi-source",
  setup(build) {
    build.onLoad({ filter: /[\\/]@alicloud[\\/](ecs|cms)\d+[\\/]dist[\\/]models[\\/]\w+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      expectIn(source, IMPORT_HELPERS, path);
      return { contents: source.replace(IMPORT_HELPERS, "var __importStar = (module) => module;\n"), loader: "js" };
    });
    // Its index, of which the models ask for the model they extend alone.
    build.onLoad({ filter: /[\\/]@darabonba[\\/]typescript[\\/]dist[\\/]index\.js$/ }, async ({ path }) => ({
      contents: `var $tea = require("@alicloud/tea-typescript"), stream_1 = require("stream");\n${await modelOf(join(dirname(path), "core.js"))}`,
      loader: "js",
    }));
    build.onLoad({ filter: /[\\/]tea-typescript[\\/]dist[\\/]tea\.js$/ }, async ({ path }) => ({
      contents: await modelOf(path),
      loader: "js",
    }));
    build.onLoad({ filter: /[\\/]openapi-core[\\/]dist[\\/]utils\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replace(OTHER_HELPERS, "");
      if (contents.length > source.length * 0.6) throw new Error(`${basename(path)} has a new layout`);
      return { contents, loader: "js" };
    });
  },
};

async function modelOf(path) {
  const kept = (await readFile(path, "utf8")).match(BASE_MODEL);
  if (kept?.length !== 5) throw new Error(`${basename(path)} has a new layout`);
  const model = kept.join("").replace(MODEL_CHECKS, "");
  return `${model}Object.assign(exports, { __esModule: true, Model, toMap });`;
}

/** What fc2 has besides the head of a request and its signature. Told by the indentation of its methods. */
const OTHER_REQUESTS =
  /^ {2}(?:async )?(?!constructor|buildHeaders)\w+\([^)]*\) \{\n[\s\S]*?^ {2}\}\n|^const (?:querystring|axios|OSS|path|fs|httpx|kitx|WebSocket) = .*\n/gm;

/** Leaves that out. */
export const wakeupSource = {
  name: "wakeup-source",
  setup(build) {
    build.onLoad({ filter: /[\\/]fc2[\\/]lib[\\/]client\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replace(OTHER_REQUESTS, "");
      if (contents.length > source.length * 0.8) throw new Error(`${basename(path)} has a new layout`);
      return { contents, loader: "js" };
    });
    build.onLoad({ filter: /[\\/]fc2[\\/]package\.json$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(path, "utf8"));
      return { contents: JSON.stringify({ name, version }), loader: "json" };
    });
  },
};

/** Requests and answers of the operations that the adapters call; what these refer to is kept with them. */
const MESSAGES = [
  "Error",
  "CreateTableRequest",
  "CreateTableResponse",
  "ListTableRequest",
  "ListTableResponse",
  "GetRowRequest",
  "GetRowResponse",
  "PutRowRequest",
  "PutRowResponse",
  "UpdateRowRequest",
  "UpdateRowResponse",
  "DeleteRowRequest",
  "DeleteRowResponse",
  "GetRangeRequest",
  "GetRangeResponse",
  "BatchGetRowRequest",
  "BatchGetRowResponse",
  "BatchWriteRowRequest",
  "BatchWriteRowResponse",
];
const UNUSED_METHODS = [
  "encodeDelimited",
  "decodeDelimited",
  "verify",
  "fromObject",
  "toObject",
  "toJSON",
  "getTypeUrl",
];

/**
 * Keeps, of the 2.7 MB of generated messages, those of the operations we call, all enumerations and all filters. What requests are made
 * of is only written, and answers only read. Works by the generator's indentation and fails when that changes.
 */
export const tablestoreMessages = {
  name: "tablestore-messages",
  setup(build) {
    build.onLoad({ filter: /tablestore_compiled_proto\.js$/ }, async ({ path }) => {
      return { contents: pruneMessages(await readFile(path, "utf8")), loader: "js" };
    });
  },
};

function pruneMessages(source) {
  const block = /^ {8}proto\.(\w+) = \(function\(\) \{\n[\s\S]*?^ {8}\}\)\(\);\n/gm;
  const sections = source.split(/^(?=\$root\.\w+ = \(function\(\) \{$)/m);
  if (sections.length !== 4) throw new Error("the generated Tablestore messages have a new layout");
  return sections
    .map((section) => {
      const name = /^\$root\.(\w+) = /.exec(section)?.[1];
      if (name === undefined) return section;
      const bodies = new Map([...section.matchAll(block)].map(([body, message]) => [message, body]));
      const isMessage = (body) => /\.encode = function encode\(/.test(body);
      const isMain = name === "main";
      const [written, read] = isMain
        ? [/Request$/, /Response$|^Error$/].map((way) =>
            withReferences(
              bodies,
              MESSAGES.filter((it) => way.test(it)),
            ),
          )
        : [new Set(name === "filter" ? bodies.keys() : []), new Set()];
      return section.replace(block, (body, message) => {
        // Of searches, whose messages all go, the enumerations too.
        if (!isMessage(body)) return isMain || name === "filter" ? body : "";
        const unused = [
          ...(written.has(message) ? [] : ["encode", "create"]),
          ...(read.has(message) ? [] : ["decode"]),
        ];
        return unused.length === 3 ? "" : withoutMethods(body, [...UNUSED_METHODS, ...unused]);
      });
    })
    .join("");
}

function withReferences(bodies, wanted) {
  const kept = new Set();
  const open = [...wanted];
  for (let message = open.pop(); message !== undefined; message = open.pop()) {
    if (kept.has(message)) continue;
    const body = bodies.get(message);
    if (body === undefined) throw new Error(`the Tablestore SDK has no message ${message}`);
    kept.add(message);
    for (const [, reference] of body.matchAll(/\$root\.main\.proto\.(\w+)/g)) open.push(reference);
  }
  return kept;
}

function withoutMethods(body, names) {
  const method = new RegExp(
    `^ {12}\\w+(?:\\.prototype)?\\.(?:${names.join("|")}) = function \\w+\\([^)]*\\) \\{\\n[\\s\\S]*?^ {12}\\};\\n`,
    "gm",
  );
  return body.replace(method, "");
}

/** The archive's own compressor beside Node's: the container is the library's, each file in it is handed over whole. */
const ZLIB_ARCHIVE = `
import { deflateRawSync } from "node:zlib";
import { ZipPassThrough } from "whole-fflate";
export { strToU8, Zip } from "whole-fflate";
export class ZipDeflate extends ZipPassThrough {
  compression = 8;
  process(file, isLast) {
    if (!isLast) throw new Error("a file of the archive comes in pieces");
    this.ondata(null, deflateRawSync(file), true);
  }
}
export { ZipDeflate as AsyncZipDeflate };
`;

/** Of spreadsheets: the compressor, pictures, and formats that depend on values, which ours have none of. */
export const plainSheets = {
  name: "plain-sheets",
  setup(build) {
    build.onLoad({ filter: /[\\/]write-excel-file[\\/]modules[\\/]xlsx[\\/]getFeatures\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const pushed = /features\.push\((?:conditionalFormatting|images)\);/g;
      expectIn(source, /features\.push\(conditionalFormatting\);[\s\S]*features\.push\(images\);/, path);
      return { contents: source.replace(pushed, ""), loader: "js" };
    });
    build.onResolve({ filter: /^fflate$/ }, ({ path, importer, pluginData }) =>
      pluginData !== "whole" && importer.endsWith("zipToStream.js") ? { path, namespace: "zlib-archive" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "zlib-archive" }, () => ({
      contents: ZLIB_ARCHIVE,
      loader: "js",
      resolveDir: import.meta.dirname,
    }));
    build.onResolve({ filter: /^whole-fflate$/ }, (it) =>
      build.resolve("fflate", { kind: it.kind, resolveDir: it.resolveDir, pluginData: "whole" }),
    );
  },
};

const DESCRIBED = /z\.describe\(\s*(?:"(?:[^"\\]|\\.)*"|'[^'\\]*'),?\s*\)/.source;
/** The last of several checks of a schema, and one that is its only. */
const DESCRIPTION = new RegExp(`,\\s*${DESCRIBED}|\\.check\\(\\s*${DESCRIBED},?\\s*\\)`, "g");

/** Leaves out how the policy's fields are described, which is for editors: for each, zod would copy a schema. */
export const undescribed = {
  name: "undescribed",
  setup(build) {
    build.onLoad({ filter: /[\\/]shared[\\/]config[\\/][\w-]+-schema\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(DESCRIPTION, ""),
      loader: "ts",
    }));
  },
};

/** Lines of zod's lists of names by which each schema would bring along what describes it for the API description. */
const DESCRIBING = /^export .* from "\.[\w./]*\/(?:to-)?json-schema[\w-]*\.js";\n/gm;

/** Leaves that out of them; who asks for `toJSONSchema` gets it from where it is. */
export const plainSchemas = {
  name: "plain-schemas",
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/](?:core[\\/]index|mini[\\/]external)\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replace(DESCRIBING, "");
      if (contents === source) throw new Error(`${path} has a new layout`);
      return { contents, loader: "js" };
    });
    const core = dirname(createRequire(import.meta.url).resolve("zod/v4/core"));
    build.onResolve({ filter: /^zod\/v4\/core$/ }, () => ({ path: join(core, "json-schema-processors.js") }));
  },
};

function expectIn(source, pattern, path) {
  if (!pattern.test(source)) throw new Error(`${path} has changed: ${pattern} is not in it`);
}
