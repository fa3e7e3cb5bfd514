// The functions' configuration: environment names to settings and endpoints, or every mistake at once.
import { regionProbed } from "../domain/list-probe.ts";
import type { Settings } from "../usecases/app.ts";

/** The environment as names and texts. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the cloud's services answer. */
export interface Endpoints {
  /** `http://host:port` or `https://host`; null for the cloud's own host of each region. */
  readonly ecs: string | null;
  /** As `ecs`. */
  readonly actionTrail: string | null;
  /** As `ecs`: the log service, VPC, CloudMonitor. */
  readonly sls: string | null;
  readonly vpc: string | null;
  readonly cms: string | null;
  /** Asked by setup and doctor alone. */
  readonly ram: string | null;
  /** As `ram`. */
  readonly quotas: string | null;
  readonly tablestore: string;
  readonly tablestoreInstance: string;
  readonly fc: string;
  /** Name of the function a wake-up calls. */
  readonly sweepFunction: string;
}

/** Keys for the cloud's services. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
}

/** All of the configuration but the keys. */
export interface Configuration {
  readonly settings: Settings;
  readonly region: string;
  readonly accountId: string;
  readonly endpoints: Endpoints;
  /** False: leases are closed by the minute timer alone. */
  readonly wakeups: boolean;
  /** Secrets in the path of the alarm webhook; any of them is good, so that they can be changed one by one. Empty: no post is taken. */
  readonly alarmSecrets: readonly string[];
  /** ECS calls of one API in one region a minute, all instances together. */
  readonly callsPerMinute: number;
  /** True: each tick of the timer publishes custom metrics. */
  readonly heartbeat: boolean;
  /** Where flow logs are kept, one place a region at most. */
  readonly flowLogs: readonly { readonly region: string; readonly project: string; readonly logstore: string }[];
  /** True: Session Manager is suggested, and sessions can be cut on hosts. */
  readonly cloudAssistant: boolean;
  /** Regions in which a probe has found prefix lists to work as lockdowns need them; empty: no list is ever made. */
  readonly lockdownLists: readonly string[];
  /** Hosts, as `name` or `name:port`, that notices may be sent to although they are private, and without TLS. */
  readonly notifyPrivateHosts: readonly string[];
}

/** Thrown when the environment is not usable: names every mistake and what to do. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

interface Reader {
  text(name: string, pattern: RegExp, means: string, otherwise?: string): string;
  whole(name: string, otherwise: number, min: number, max: number): number;
  url(name: string, otherwise: string): string;
}

/** Reads the configuration. Throws `SettingsError` with every problem found. */
export function readSettings(env: Environment): Configuration {
  const problems: string[] = [];
  const reader = readerOf(env, problems);
  const region = reader.text(
    "SAFEPORT_REGION",
    /^[a-z0-9-]{2,40}$/,
    "the region, such as cn-hangzhou",
    env["FC_REGION"],
  );
  const accountId = reader.text("SAFEPORT_ACCOUNT_ID", /^\d{1,32}$/, "the account's number", env["FC_ACCOUNT_ID"]);
  const tablestoreInstance = reader.text(
    "SAFEPORT_TABLESTORE_INSTANCE",
    /^[A-Za-z][A-Za-z0-9-]{1,19}$/,
    "the name of the Tablestore instance that keeps the state",
  );
  const configuration: Configuration = {
    region,
    accountId,
    settings: {
      installation: reader.text(
        "SAFEPORT_INSTALLATION",
        /^[a-z0-9-]{1,12}$/,
        "the id of this installation in every mark: 1 to 12 of a-z, 0-9 and -, never changed later",
      ),
      markSecret: reader.text(
        "SAFEPORT_MARK_SECRET",
        /^\S{32,256}$/,
        "the key that signs the marks: at least 32 random characters, never changed later",
      ),
      publicUrl: addressOrNull(
        reader.text(
          "SAFEPORT_PUBLIC_URL",
          /^(-|https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?)$/,
          "where people reach the API, such as https://safeport.example.com, or - for messages without links",
          "-",
        ),
      ),
      lateEffectMaxMs: reader.whole("SAFEPORT_LATE_EFFECT_MAX_SECONDS", 60, 1, 3600) * 1000,
      lockMs: reader.whole("SAFEPORT_LOCK_SECONDS", 30, 5, 600) * 1000,
      lockMarginMs: reader.whole("SAFEPORT_LOCK_MARGIN_SECONDS", 12, 1, 300) * 1000,
      answerWithinMs: reader.whole("SAFEPORT_ANSWER_WITHIN_SECONDS", 10, 1, 60) * 1000,
      skewMaxMs: reader.whole("SAFEPORT_SKEW_MAX_SECONDS", 5, 1, 300) * 1000,
      shards: reader.whole("SAFEPORT_SHARDS", 1, 1, 64),
      fullPassGroups: reader.whole("SAFEPORT_FULL_PASS_GROUPS", 5000, 100, 100_000),
    },
    endpoints: {
      ecs: reader.url("SAFEPORT_ECS_ENDPOINT", "") || null,
      actionTrail: reader.url("SAFEPORT_ACTIONTRAIL_ENDPOINT", "") || null,
      sls: reader.url("SAFEPORT_SLS_ENDPOINT", "") || null,
      vpc: reader.url("SAFEPORT_VPC_ENDPOINT", "") || null,
      cms: reader.url("SAFEPORT_CMS_ENDPOINT", "") || null,
      quotas: reader.url("SAFEPORT_QUOTAS_ENDPOINT", "") || null,
      ram: reader.url("SAFEPORT_RAM_ENDPOINT", "") || null,
      tablestore: reader.url(
        "SAFEPORT_TABLESTORE_ENDPOINT",
        `https://${tablestoreInstance}.${region}.ots.aliyuncs.com`,
      ),
      tablestoreInstance,
      fc: reader.url("SAFEPORT_FC_ENDPOINT", `https://${accountId}.${region}.fc.aliyuncs.com`),
      sweepFunction: reader.text(
        "SAFEPORT_SWEEP_FUNCTION",
        /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/,
        "the name of the function that a wake-up calls",
        "safeport-sweep",
      ),
    },
    wakeups:
      reader.text("SAFEPORT_WAKEUPS", /^(on|off)$/, "on, or off to close by the minute timer alone", "on") === "on",
    alarmSecrets: reader
      .text(
        "SAFEPORT_ALARM_SECRETS",
        /^(-|[A-Za-z0-9_-]{32,128}(,[A-Za-z0-9_-]{32,128})?)$/,
        "one secret of the alarm webhook, or two with a comma between them while it is changed: 32 to 128 letters, digits, _ and -",
        "-",
      )
      .split(",")
      .filter((secret) => secret !== "-"),
    heartbeat:
      reader.text(
        "SAFEPORT_HEARTBEAT",
        /^(on|off)$/,
        "on to publish metrics that alarms watch safeport by, or off",
        "off",
      ) === "on",
    callsPerMinute: reader.whole("SAFEPORT_CALLS_PER_MINUTE", 200, 10, 100_000),
    flowLogs: flowLogsOf(
      reader.text(
        "SAFEPORT_FLOW_LOGS",
        /^(-|[a-z0-9-]+=[a-z0-9_-]+\/[a-z0-9_-]+(,[a-z0-9-]+=[a-z0-9_-]+\/[a-z0-9_-]+)*)$/,
        "where flow logs are kept, such as cn-hangzhou=project/logstore, several with commas between",
        "-",
      ),
    ),
    cloudAssistant:
      reader.text(
        "SAFEPORT_CLOUD_ASSISTANT",
        /^(on|off)$/,
        "on to ask agents on hosts for Session Manager and to cut sessions through them, or off",
        "off",
      ) === "on",
    lockdownLists: probedRegions(
      reader.text(
        "SAFEPORT_LOCKDOWN_LISTS",
        /^(-|[a-z0-9:-]+(,[a-z0-9:-]+)*)$/,
        "the words that safeport probe has printed, one for each region, with commas between them, or - to make no prefix lists",
        "-",
      ),
      env["SAFEPORT_ACCOUNT_ID"] ?? "",
      problems,
    ),
    notifyPrivateHosts: reader
      .text(
        "SAFEPORT_NOTIFY_PRIVATE_HOSTS",
        /^(-|[A-Za-z0-9.:-]+(,[A-Za-z0-9.:-]+)*)$/,
        "hosts that notices may be sent to although they are private, as name or name:port, with commas between them, or - for none",
        "-",
      )
      .split(",")
      .filter((host) => host !== "-"),
  };
  if (configuration.settings.lockMarginMs >= configuration.settings.lockMs)
    problems.push("SAFEPORT_LOCK_MARGIN_SECONDS is not below SAFEPORT_LOCK_SECONDS. Lower it.");
  if (problems.length > 0) throw new SettingsError(problems);
  return configuration;
}

/** Nothing is switched on by a word of another account, or one that was mistyped. */
function probedRegions(text: string, accountId: string, problems: string[]): readonly string[] {
  return (text === "-" ? [] : text.split(",")).flatMap((word) => {
    const region = regionProbed(word, accountId);
    if (region === null)
      problems.push(
        `SAFEPORT_LOCKDOWN_LISTS: ${word} is no word of a probe in the account ${accountId}. Run safeport probe --only emptyPrefixList there, and copy what it prints.`,
      );
    return region ?? [];
  });
}

const addressOrNull = (text: string): string | null => (text === "-" ? null : text);

function flowLogsOf(text: string): Configuration["flowLogs"] {
  if (text === "-") return [];
  return text.split(",").map((part) => {
    const [region = "", project = "", logstore = ""] = part.split(/[=/]/);
    return { region, project, logstore };
  });
}

/** The keys of the environment, or null when there are none. */
export function environmentCredentials(env: Environment): Credentials | null {
  const accessKeyId = env["ALIBABA_CLOUD_ACCESS_KEY_ID"];
  const accessKeySecret = env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"];
  if (!accessKeyId || !accessKeySecret) return null;
  return { accessKeyId, accessKeySecret, securityToken: env["ALIBABA_CLOUD_SECURITY_TOKEN"] || undefined };
}

function readerOf(env: Environment, problems: string[]): Reader {
  return {
    text(name, pattern, means, otherwise) {
      const value = env[name] || otherwise;
      if (!value) problems.push(`${name} is missing. Set it to ${means}.`);
      // The value itself is not shown: it may be a secret.
      else if (!pattern.test(value)) problems.push(`${name} does not have the right form. Set it to ${means}.`);
      return value ?? "";
    },
    whole(name, otherwise, min, max) {
      const value = env[name];
      if (!value) return otherwise;
      const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      problems.push(
        `${name} is not a whole number from ${min} to ${max}. Correct it, or leave it out for ${otherwise}.`,
      );
      return otherwise;
    },
    url(name, otherwise) {
      const value = env[name];
      if (!value) return otherwise;
      const full = /^https?:\/\//.test(value) ? value : `https://${value}`;
      if (/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/.test(full)) return full;
      problems.push(`${name} is not an address. Set it to a host name or http(s)://host:port, or leave it out.`);
      return otherwise;
    },
  };
}
