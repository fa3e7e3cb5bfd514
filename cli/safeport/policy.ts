// `safeport policy`: a policy file checked, compared with what is in force, and put in force.
import { readFileSync } from "node:fs";
import { type PolicyFile, PolicyFileError, readPolicyFile } from "../setup/policy-file.ts";
import { apiOf } from "./api.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";
import { policyJsonSchema } from "./policy-json-schema.ts";

interface Step {
  readonly does: string;
  readonly rule: string;
  readonly group: string;
  readonly groupName: string;
  readonly cause: string;
  readonly reach: { readonly hosts: readonly unknown[] };
}

interface ChangeAnswer {
  readonly version: number;
  readonly state: "unchanged" | "preview" | "applied" | "pending";
  readonly widens: boolean;
  readonly lists: {
    readonly writingCalls: number;
    readonly groups: readonly {
      readonly group: string;
      readonly name: string;
      readonly weight: number | null;
      readonly used: number | null;
      readonly max: number;
      readonly why: string | null;
    }[];
  } | null;
  readonly digest: string | null;
  readonly until: string | null;
  readonly changes: readonly {
    readonly path: string;
    readonly before: unknown;
    readonly after: unknown;
    readonly effect: string;
  }[];
  readonly guards: readonly {
    readonly group: string;
    readonly groupName: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly begins: readonly Step[];
  readonly ceases: readonly Step[];
  readonly looked: number;
  readonly groups: number;
  readonly unreadable: readonly string[];
  readonly away: readonly string[];
}

interface PolicyAnswer {
  readonly version: number;
  readonly policy: unknown;
  readonly pending: { readonly digest: string; readonly by: string } | null;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

export const policy: Command = {
  name: "policy",
  summary: "check, compare and change the policy",
  help: `Usage: safeport policy check FILE            check a policy file, without asking anybody
       safeport policy diff FILE             what it would change, open and close
       safeport policy apply FILE --reason TEXT
                                             put it in force; what allows more than before waits for another admin
       safeport policy confirm [DIGEST]      confirm, as another admin, the change that waits
       safeport policy withdraw              give the change that waits up
       safeport policy show [--version N]    the policy in force, or an older version, as JSON
       safeport policy schema                JSON Schema of the file, for editors

Options: --json. A mistake names line, field and remedy; so does a warning, of what is allowed and hardly meant. Exit code 3: the change waits for another admin.
All but check and schema read SAFEPORT_API and SAFEPORT_TOKEN.
`,
  async run(args, surroundings) {
    const { values, positionals } = readArguments(args, { reason: { type: "string" }, version: { type: "string" } }, 2);
    const [verb, file] = positionals;
    switch (verb) {
      case "check": {
        const { warnings } = policyFileOf(file);
        tell(surroundings, values, {
          json: { policy: "valid", warnings },
          lines: [...warnings, "The policy is valid."],
        });
        return EXIT.ok;
      }
      case "schema":
        surroundings.out(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
        return EXIT.ok;
      case "show":
        return show(values, surroundings);
      case "diff":
        return change(file, values, surroundings, true);
      case "apply":
        return change(file, values, surroundings, false);
      case "confirm":
        return confirm(file, values, surroundings);
      case "withdraw": {
        const body = await apiOf(surroundings).call<{ readonly message: string }>("DELETE", "/v1/policy/pending");
        tell(surroundings, values, { json: body, lines: [body.message] });
        return EXIT.ok;
      }
      default:
        throw new UsageError(verb === undefined ? "say what to do" : `${verb} is not understood`);
    }
  },
};

/** The file's document. Throws PolicyFileError with one line a mistake. */
function policyFileOf(file: string | undefined): PolicyFile {
  if (file === undefined) throw new UsageError("the policy file is missing");
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    throw new PolicyFileError(`${file}: cannot be read (${why}). Name an existing file.`);
  }
  return readPolicyFile(yaml, file);
}

async function show(values: Values, surroundings: Surroundings): Promise<number> {
  const { version } = values;
  const query = typeof version === "string" ? `?version=${encodeURIComponent(version)}` : "";
  const body = await apiOf(surroundings).call<PolicyAnswer>("GET", `/v1/policy${query}`);
  const shown = values["json"] ? body : body.policy;
  surroundings.out(`${JSON.stringify(shown, null, 2)}\n`);
  return EXIT.ok;
}

async function change(
  file: string | undefined,
  values: Values,
  surroundings: Surroundings,
  dryRun: boolean,
): Promise<number> {
  const { text, warnings } = policyFileOf(file);
  const api = apiOf(surroundings);
  const base = (await api.call<PolicyAnswer>("GET", "/v1/policy")).version;
  const reason = typeof values["reason"] === "string" ? values["reason"] : "";
  const body = await api.call<ChangeAnswer>("PUT", `/v1/policy?dryRun=${dryRun}`, {
    policy: JSON.parse(text) as unknown,
    base,
    reason,
  });
  tell(surroundings, values, { json: { ...body, warnings }, lines: [...warnings, ...linesOf(body)] });
  return body.state === "pending" ? EXIT.waiting : EXIT.ok;
}

async function confirm(digest: string | undefined, values: Values, surroundings: Surroundings): Promise<number> {
  const api = apiOf(surroundings);
  if (digest === undefined) {
    // What is confirmed has been looked at: without a digest it is only shown.
    const { pending } = await api.call<PolicyAnswer>("GET", "/v1/policy");
    if (pending === null) {
      tell(surroundings, values, { json: { pending }, lines: ["No change waits."] });
      return EXIT.ok;
    }
    const body = await api.call<ChangeAnswer>("POST", "/v1/policy/pending:confirm?dryRun=true", {
      digest: pending.digest,
    });
    const how = `Asked for by ${pending.by}. To confirm it: safeport policy confirm ${pending.digest}`;
    tell(surroundings, values, { json: { pending, preview: body }, lines: [...linesOf(body), how] });
    return EXIT.waiting;
  }
  const body = await api.call<ChangeAnswer>("POST", "/v1/policy/pending:confirm", { digest });
  tell(surroundings, values, { json: body, lines: linesOf(body) });
  return EXIT.ok;
}

/** What prefix lists for lockdowns take of each interface's quota. */
const costOf = ({ writingCalls, groups }: NonNullable<ChangeAnswer["lists"]>): readonly string[] => [
  `lockdown.prefixLists: ${writingCalls} writing calls close all groups of one scope in one region`,
  ...groups.map(
    ({ group, name, weight, used, max, why }) =>
      `${name || group}: its drops on lists count for ${weight ?? "too many"} rules beside ${used ?? "unknown"}, of ${max}${why === null ? "" : `; left out: ${why}`}`,
  ),
];

/** A change as people read it. */
function linesOf(body: ChangeAnswer): string[] {
  const step = (it: Step): string => {
    const hosts = it.reach.hosts.length;
    return `${it.does} ${it.rule} in ${it.groupName || it.group} (${hosts === 1 ? "1 host" : `${hosts} hosts`}): ${it.cause}`;
  };
  const head = {
    unchanged: `Nothing changes: version ${body.version} says the same.`,
    preview: "Nothing was changed: this is what it would do.",
    applied: `Version ${body.version} is in force.`,
    pending: `It waits for another admin until ${body.until}: safeport policy confirm ${body.digest}`,
  }[body.state];
  return [
    ...body.changes.map(
      (it) => `${it.path}: ${JSON.stringify(it.before)} → ${JSON.stringify(it.after)} (${it.effect})`,
    ),
    ...body.guards.map((it) => `guard of ${it.groupName || it.group}: ${it.before} → ${it.after}`),
    ...body.begins.map((it) => `would: ${step(it)}`),
    ...body.ceases.map((it) => `would no longer: ${step(it)}`),
    ...(body.changes.length > 0 ? [`${body.looked} of ${body.groups} guarded groups were looked at.`] : []),
    ...body.unreadable.map(
      (group) => `${group}: something stored of it cannot be read, so that nobody can tell what it would do there`,
    ),
    ...body.away.map((it) => `${it}: the cloud does not tell of it, so that nobody can tell what it would do there`),
    ...(body.lists ? costOf(body.lists) : []),
    ...(body.widens ? ["It allows more than before."] : []),
    head,
  ];
}
