// `s.yaml` as the deployment tool reads it: its variables resolved and its template merged into each function.
import { parseDocument } from "yaml";
import * as z from "zod";

/** What stands in for the deployment tool's surroundings. */
export interface ServerlessSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly accountId: string;
}

const destination = z.object({ destination: z.string() });
const triggerSchema = z.discriminatedUnion("triggerType", [
  z.object({ triggerName: z.string(), triggerType: z.literal("http"), triggerConfig: z.object({}) }),
  z.object({
    triggerName: z.string(),
    triggerType: z.literal("timer"),
    triggerConfig: z.object({ cronExpression: z.string(), payload: z.string().default("") }),
  }),
  z.object({
    triggerName: z.string(),
    triggerType: z.literal("eventbridge"),
    triggerConfig: z.object({
      asyncInvocationType: z.boolean(),
      eventRuleFilterPattern: z.string(),
      eventSinkConfig: z.object({
        deliveryOption: z.object({ eventSchema: z.enum(["CloudEvents", "RawData"]) }),
      }),
      runOptions: z.object({
        retryStrategy: z.object({ PushRetryStrategy: z.enum(["BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"]) }),
      }),
    }),
  }),
]);

const functionSchema = z.looseObject({
  region: z.string(),
  functionName: z.string(),
  runtime: z.string(),
  handler: z.string(),
  code: z.string(),
  role: z.string(),
  timeout: z.int(),
  memorySize: z.int(),
  environmentVariables: z.record(z.string(), z.string()),
  triggers: z.array(triggerSchema).default([]),
  asyncInvokeConfig: z
    .object({
      maxAsyncRetryAttempts: z.int(),
      maxAsyncEventAgeInSeconds: z.int(),
      destinationConfig: z.object({ onFailure: destination.optional(), onSuccess: destination.optional() }).default({}),
    })
    .optional(),
  concurrencyConfig: z.object({ reservedConcurrency: z.int() }).optional(),
  logConfig: z.object({ project: z.string(), logstore: z.string() }).optional(),
});

/** The properties of one function, resolved; those that only the cloud reads are kept as they are. */
export type ServerlessFunction = z.output<typeof functionSchema>;

type Fields = Readonly<Record<string, unknown>>;

/** Every function by the name of its resource. Throws with words on a variable without a value and on a shape that is not known. */
export function readServerlessFile(
  yaml: string,
  surroundings: ServerlessSurroundings,
): Readonly<Record<string, ServerlessFunction>> {
  const document = parseDocument(yaml, { strict: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error) throw new Error(`s.yaml: ${error.message}`);
  const file = fieldsOf(document.toJS());
  const vars = fieldsOf(resolve(file["vars"], { ...surroundings, vars: {} }));
  const templates = fieldsOf(file["template"]);
  const entries = Object.entries(fieldsOf(file["resources"])).map(([name, value]) => {
    const resource = fieldsOf(value);
    const template = templates[String(fieldsOf(resource["extend"])["name"])];
    const props = resolve(merged(template, resource["props"]), { ...surroundings, vars });
    const parsed = functionSchema.safeParse(props);
    if (!parsed.success) throw new Error(`s.yaml: ${name}: ${z.prettifyError(parsed.error)}`);
    return [name, parsed.data] as const;
  });
  return Object.fromEntries(entries);
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** Fields of both, those of `own` first; lists are not joined. */
function merged(base: unknown, own: unknown): unknown {
  if (Array.isArray(own) || typeof own !== "object" || own === null) return own ?? base;
  const [under, over] = [fieldsOf(base), fieldsOf(own)];
  const names = [...new Set([...Object.keys(under), ...Object.keys(over)])];
  return Object.fromEntries(names.map((name) => [name, merged(under[name], over[name])]));
}

function resolve(value: unknown, scope: ServerlessSurroundings & { readonly vars: Fields }): unknown {
  if (typeof value === "string")
    return value.replaceAll(/\$\{([^}]*)\}/g, (_whole, text: string) => placeholderOf(text.trim(), scope));
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner, scope)]));
}

/** `env('NAME')`, `env('NAME', 'default')`, `vars.name` and `config('AccountID')`. */
function placeholderOf(
  text: string,
  { env, accountId, vars }: ServerlessSurroundings & { readonly vars: Fields },
): string {
  const [, name, otherwise] = /^env\('(\w+)'(?:,\s*'([^']*)')?\)$/.exec(text) ?? [];
  const found = name === undefined ? variable(text, accountId, vars) : (env[name] ?? otherwise);
  if (found === undefined) throw new Error(`s.yaml: \${${text}} has no value. Set it in the environment.`);
  return found;
}

function variable(text: string, accountId: string, vars: Fields): string | undefined {
  if (text === "config('AccountID')") return accountId;
  const value = vars[/^vars\.(\w+)$/.exec(text)?.[1] ?? ""];
  return typeof value === "string" ? value : undefined;
}
