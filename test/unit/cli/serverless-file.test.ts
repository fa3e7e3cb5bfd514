// s.yaml: what it means, that the deployment tool takes it, and that it fits the code.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { readServerlessFile } from "../../../cli/deploy/serverless-file.ts";
import { FUNCTION_NAMES } from "../../../cli/safeport/deployed-functions.ts";
import { readSettings } from "../../../shared/config/settings.ts";

const root = join(import.meta.dirname, "../../..");
const text = readFileSync(join(root, "s.yaml"), "utf8");
const accountId = "100000000000";
const env = {
  SAFEPORT_INSTALLATION: "prod",
  SAFEPORT_MARK_SECRET: "m".repeat(64),
  SAFEPORT_TABLESTORE_INSTANCE: "safeport",
};
const functions = readServerlessFile(text, { env, accountId });
const fromEnv = (words: string): string => `\${env(${words})}`;
/** With the lines of the option taken in. */
const withDomain = text.replaceAll(/^( +)# (customDomain:| {2,}\w+:.*)$/gm, "$1$2");
const all = Object.entries(functions);

describe("the file", () => {
  test("deploys each function that there is, and no other", () => {
    const folders = readdirSync(join(root, "functions"), { withFileTypes: true }).filter((it) => it.isDirectory());
    expect(Object.keys(functions).sort()).toEqual(folders.map(({ name }) => name).sort());
    expect(Object.keys(functions).sort()).toEqual([...FUNCTION_NAMES].sort());
    for (const [name, { code, handler, functionName, runtime }] of all) {
      expect([code, handler, runtime]).toEqual([`./dist/${name}`, "index.handler", "nodejs20"]);
      expect(functionName).toBe(`safeport-${name}`);
      const source = readFileSync(join(root, "functions", name, "index.ts"), "utf8");
      expect(source).toContain("export const handler");
    }
  });

  test.each(all)(
    "gives %s a whole configuration, and no setting that is not read",
    (_name, { environmentVariables }) => {
      const read = new Set<string>();
      const watched = new Proxy<Record<string, string>>(environmentVariables, {
        get: (values, key: string) => {
          read.add(key);
          return values[key];
        },
      });
      expect(readSettings(watched)).toMatchObject({ accountId, endpoints: { sweepFunction: "safeport-sweep" } });
      expect(Object.keys(environmentVariables).filter((key) => !read.has(key))).toEqual([]);
      // Whatever can be set is, but where services answer, which nobody changes in the cloud.
      const unset = [...read].filter((key) => !(key in environmentVariables));
      expect(unset.filter((key) => !/_ENDPOINT$|^FC_/.test(key))).toEqual([]);
    },
  );

  test("gives the API a domain of its own once the lines for that are taken in", () => {
    const { api, ...others } = (
      parse(withDomain) as { readonly resources: Record<string, { readonly props: Record<string, unknown> }> }
    ).resources;
    expect(api?.props["customDomain"]).toEqual({
      domainName: fromEnv("'SAFEPORT_DOMAIN'"),
      protocol: "HTTPS",
      certConfig: {
        certName: fromEnv("'SAFEPORT_DOMAIN_CERTIFICATE_NAME', 'safeport'"),
        certificate: fromEnv("'SAFEPORT_DOMAIN_CERTIFICATE'"),
        privateKey: fromEnv("'SAFEPORT_DOMAIN_KEY'"),
      },
      route: { path: "/*", qualifier: "LATEST" },
    });
    expect(Object.values(others).some(({ props }) => "customDomain" in props)).toBe(false);
    expect(() => readServerlessFile(withDomain, { env, accountId })).toThrow("SAFEPORT_DOMAIN");
    const named = {
      ...env,
      SAFEPORT_DOMAIN: "ports.example.com",
      SAFEPORT_DOMAIN_CERTIFICATE: "c",
      SAFEPORT_DOMAIN_KEY: "k",
    };
    expect(Object.keys(readServerlessFile(withDomain, { env: named, accountId }))).toEqual(Object.keys(functions));
  });

  test("sends what has failed for good to a function that takes it, and never to itself", () => {
    const names = all.map(([, it]) => it.functionName);
    for (const [, { functionName, asyncInvokeConfig }] of all) {
      const to = asyncInvokeConfig?.destinationConfig.onFailure?.destination;
      if (to === undefined) continue;
      expect(to).toMatch(new RegExp(`^acs:fc:cn-hangzhou:${accountId}:functions/`));
      const target = to.slice(to.lastIndexOf("/") + 1);
      expect(names).toContain(target);
      expect(target).not.toBe(functionName);
    }
  });

  test.each(["alarm", "audit"])("has the bus go on telling %s for longer than a store may be away", (name) => {
    const told = functions[name]?.triggers.find((it) => it.triggerType === "eventbridge");
    expect(told?.triggerConfig).toMatchObject({
      runOptions: { retryStrategy: { PushRetryStrategy: "EXPONENTIAL_DECAY_RETRY" } },
    });
  });

  test("has one function on the timer: every function with one is paid for each hour", () => {
    const timed = all.filter(([, { triggers }]) => triggers.some((it) => it.triggerType === "timer"));
    expect(timed.map(([name]) => name)).toEqual(["sweep"]);
  });
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the placeholders of s.yaml
describe("a variable", () => {
  const resolved = (value: string, vars = "vars: { a: x }") => {
    const props = `{ functionName: "${value}", region: r, runtime: n, handler: h, code: c, role: r, timeout: 1, memorySize: 1, environmentVariables: {} }`;
    return readServerlessFile(`${vars}\nresources: { f: { props: ${props} } }`, { env: { A: "one" }, accountId });
  };

  test.each([
    [fromEnv("'A'"), "one"],
    ["${env('B', 'two')}-${vars.a}", "two-x"],
    [fromEnv("'A', 'two'"), "one"],
    ["${config('AccountID')}", accountId],
  ])("%s is %s", (value, expected) => {
    expect(resolved(value)["f"]?.functionName).toBe(expected);
  });

  test.each([fromEnv("'B'"), "${vars.b}", "${env(A)}", "${this.props.x}"])("%s has no value, and says so", (value) => {
    expect(() => resolved(value)).toThrow(value);
  });
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above

// The fields of the component's schema that the file uses, written down anew; the whole schema is used where its file is named.
const region = z.string().regex(/^[a-z]+(-[a-z0-9]+)+$/);
const trigger = z.discriminatedUnion("triggerType", [
  z.strictObject({
    triggerName: z.string(),
    triggerType: z.literal("http"),
    qualifier: z.string(),
    triggerConfig: z.strictObject({
      authType: z.enum(["anonymous", "function", "jwt"]),
      disableURLInternet: z.boolean(),
      methods: z.array(z.enum(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])),
    }),
  }),
  z.strictObject({
    triggerName: z.string(),
    triggerType: z.literal("timer"),
    qualifier: z.string(),
    triggerConfig: z.strictObject({ cronExpression: z.string(), enable: z.boolean(), payload: z.string() }),
  }),
  z.strictObject({
    triggerName: z.string(),
    triggerType: z.literal("eventbridge"),
    qualifier: z.string(),
    triggerConfig: z.strictObject({
      triggerEnable: z.boolean(),
      asyncInvocationType: z.boolean(),
      eventRuleFilterPattern: z.string().refine((it) => typeof JSON.parse(it) === "object"),
      eventSourceConfig: z.strictObject({
        eventSourceType: z.literal("Default"),
        eventSourceParameters: z.strictObject({}),
      }),
      eventSinkConfig: z.strictObject({ deliveryOption: z.strictObject({ eventSchema: z.string() }) }),
      // Sources of the default bus know no other mode.
      runOptions: z.strictObject({
        mode: z.literal("event-driven"),
        errorsTolerance: z.enum(["ALL", "NONE"]),
        retryStrategy: z.strictObject({ PushRetryStrategy: z.string() }),
      }),
    }),
  }),
]);
const destination = z.strictObject({ destination: z.string().startsWith("acs:") });
/** Nothing that the platform ignores for a built-in runtime is among it: no instance concurrency, no hook before a freeze. */
const props = z.strictObject({
  region,
  functionName: z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/),
  description: z.string(),
  runtime: z.literal("nodejs20"),
  handler: z.string(),
  code: z.string(),
  cpu: z.number().min(0.05).max(16),
  memorySize: z.int().min(128).max(32_768).multipleOf(64),
  diskSize: z.literal([512, 10_240]),
  timeout: z.int().min(1).max(86_400),
  internetAccess: z.boolean(),
  role: z.string().startsWith("acs:ram::"),
  logConfig: z.strictObject({
    project: z.string(),
    logstore: z.string(),
    enableRequestMetrics: z.boolean().optional(),
    enableInstanceMetrics: z.boolean().optional(),
    logBeginRule: z.enum(["DefaultRegex", "None"]).optional(),
  }),
  environmentVariables: z.record(z.string(), z.string()),
  asyncInvokeConfig: z
    .strictObject({
      qualifier: z.string(),
      asyncTask: z.boolean().optional(),
      maxAsyncRetryAttempts: z.int().min(0).max(8),
      maxAsyncEventAgeInSeconds: z.int().min(1).max(2_592_000),
      destinationConfig: z.strictObject({ onFailure: destination }),
    })
    .optional(),
  concurrencyConfig: z.strictObject({ reservedConcurrency: z.int().min(1) }).optional(),
  triggers: z.array(trigger),
});

/** The properties as they stand in the file, with the defaults of no reader in them. */
function asWritten(name: string): unknown {
  const file = parse(text) as {
    readonly template: { readonly function: object };
    readonly resources: Readonly<Record<string, { readonly props: object }>>;
  };
  const written = { ...file.template.function, ...file.resources[name]?.props };
  const filled = JSON.stringify(written).replaceAll(/\$\{vars\.(\w+)\}/g, (_, variable) =>
    variable === "region" ? "cn-hangzhou" : "p-",
  );
  return JSON.parse(filled);
}

describe("the component's schema", () => {
  test.each(all)("takes %s", (name) => {
    expect(props.safeParse(asWritten(name)).error?.issues ?? []).toEqual([]);
  });

  test("refuses what it does not know", () => {
    const odd = { ...(asWritten("api") as object), instanceConcurrency: 10 };
    expect(props.safeParse(odd).success).toBe(false);
  });

  const file = process.env["FC3_SCHEMA"] ?? "";
  test.runIf(existsSync(file)).each(all)("takes %s as a whole", (name) => {
    // The condition is about containers; what it asks of every other runtime is asked by `props` above.
    const { if: _if, then: _then, else: _else, ...rest } = JSON.parse(readFileSync(file, "utf8"));
    const schema = z.fromJSONSchema(rest);
    expect(schema.safeParse(asWritten(name)).error?.issues ?? []).toEqual([]);
  });
});
