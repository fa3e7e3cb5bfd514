// Projects, their logstores, and the logs in them: in memory, and in files when they are to outlive the process.

import { join } from "node:path";
import { keepJson, keptJson } from "../../kept-json.ts";
import { LineFile } from "../../line-file.ts";
import { SlsError } from "./sls-error.ts";

/** One log: fields as text, and its time in seconds. */
export interface Log {
  readonly time: number;
  readonly topic: string;
  readonly fields: Readonly<Record<string, string>>;
  /** From when queries see it, milliseconds. */
  readonly visibleAt: number;
}

/** One logstore. */
export interface Logstore {
  readonly name: string;
  ttlDays: number;
  readonly shardCount: number;
  readonly createdAt: number;
  changedAt: number;
  /** The index as it was created; without one there are no queries. */
  index?: unknown;
  /** Names of every field that a log ever had. */
  readonly columns: Set<string>;
  readonly logs: Log[];
  readonly file: LineFile<Log>;
}

/** What is kept of a project beside its logs. */
interface KeptProject extends Omit<Project, "logstores"> {
  readonly logstores: readonly Pick<
    Logstore,
    "name" | "ttlDays" | "shardCount" | "createdAt" | "changedAt" | "index"
  >[];
}

/** One project. */
export interface Project {
  readonly name: string;
  readonly description: string;
  readonly createdAt: number;
  readonly logstores: Map<string, Logstore>;
}

const NAME = /^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/;
const LOGS_MAX = 500_000;
const DAY_S = 86_400;
const DEAD_LINES_MAX = 5_000;

/** All projects of one account. */
export class LogStores {
  readonly #directory: string | undefined;
  readonly #projects = new Map<string, Project>();

  constructor(directory?: string) {
    this.#directory = directory;
    for (const { logstores, ...project } of this.#kept()) {
      const stores = logstores.map((store) => [store.name, this.#loaded(project.name, store)] as const);
      this.#projects.set(project.name, { ...project, logstores: new Map(stores) });
    }
  }

  projects(): readonly Project[] {
    return [...this.#projects.values()];
  }

  createProject(name: string, description: string, now: number): Project {
    if (!NAME.test(name)) throw new SlsError(400, "ParameterInvalid", `the project name ${name} is not valid`);
    if (this.#projects.has(name)) throw new SlsError(400, "ProjectAlreadyExist", `Project ${name} already exist.`);
    const project = { name, description, createdAt: now, logstores: new Map<string, Logstore>() };
    this.#projects.set(name, project);
    this.#keep();
    return project;
  }

  project(name: string): Project {
    const project = this.#projects.get(name);
    if (!project) throw new SlsError(404, "ProjectNotExist", `The Project does not exist : ${name}`);
    return project;
  }

  createLogstore(project: Project, store: Pick<Logstore, "name" | "ttlDays" | "shardCount">, now: number): Logstore {
    const { name, ttlDays, shardCount } = store;
    if (!NAME.test(name)) throw new SlsError(400, "ParameterInvalid", `the logstore name ${name} is not valid`);
    checkRetention(ttlDays);
    if (project.logstores.has(name)) throw new SlsError(400, "LogStoreAlreadyExist", `logstore ${name} already exists`);
    const created = this.#loaded(project.name, { name, ttlDays, shardCount, createdAt: now, changedAt: now });
    project.logstores.set(name, created);
    this.#keep();
    return created;
  }

  logstore(project: Project, name: string): Logstore {
    const store = project.logstores.get(name);
    if (!store) throw new SlsError(404, "LogStoreNotExist", `logstore ${name} does not exist`);
    return store;
  }

  setIndex(store: Logstore, index: unknown): void {
    store.index = index;
    this.#keep();
  }

  /** Keeps logs for so many days from now on; what is older is gone at once. */
  setRetention(store: Logstore, ttlDays: number, now: number): void {
    checkRetention(ttlDays);
    store.ttlDays = ttlDays;
    store.changedAt = now;
    addLogs(store, [], now);
    this.#keep();
  }

  clear(): void {
    for (const { logstores } of this.#projects.values()) for (const { file } of logstores.values()) file.replace([]);
    this.#projects.clear();
    this.#keep();
  }

  close(): void {
    for (const { logstores } of this.#projects.values()) for (const { file } of logstores.values()) file.close();
  }

  /** A logstore with the logs that its file has. */
  #loaded(project: string, store: KeptProject["logstores"][number]): Logstore {
    const path = this.#directory === undefined ? undefined : join(this.#directory, project, `${store.name}.jsonl`);
    const file = new LineFile<Log>(path);
    const logs = [...file.read()];
    return { ...store, logs, file, columns: new Set(logs.flatMap(({ fields }) => Object.keys(fields))) };
  }

  #kept(): readonly KeptProject[] {
    return this.#directory === undefined ? [] : keptJson(join(this.#directory, "projects.json"), []);
  }

  #keep(): void {
    if (this.#directory === undefined) return;
    const projects: readonly KeptProject[] = this.projects().map(({ logstores, ...project }) => ({
      ...project,
      logstores: [...logstores.values()].map(({ file: _file, logs: _logs, columns: _columns, ...store }) => store),
    }));
    keepJson(join(this.#directory, "projects.json"), projects);
  }
}

function checkRetention(ttlDays: number): void {
  if (!Number.isInteger(ttlDays) || ttlDays < 1 || ttlDays > 3_650)
    throw new SlsError(400, "ParameterInvalid", "ttl is 1 to 3650");
}

/** Adds logs, and forgets what the retention or the bound on memory no longer covers. */
export function addLogs({ logs, ttlDays, columns, file }: Logstore, added: readonly Log[], nowMs: number): void {
  for (const log of added) {
    logs.push(log);
    for (const name of Object.keys(log.fields)) columns.add(name);
  }
  file.append(...added);
  const oldest = Math.floor(nowMs / 1_000) - ttlDays * DAY_S;
  if ((logs[0]?.time ?? oldest) >= oldest && logs.length <= LOGS_MAX) return;
  const kept = logs.filter((log) => log.time >= oldest).slice(-LOGS_MAX);
  logs.length = 0;
  for (const log of kept) logs.push(log);
  if (file.length > 2 * logs.length + DEAD_LINES_MAX) file.replace(logs);
}

/** What a query over [from, to) sees, oldest first. */
export function logsIn({ logs, ttlDays }: Logstore, from: number, to: number, nowMs: number): Log[] {
  const oldest = Math.floor(nowMs / 1_000) - ttlDays * DAY_S;
  return logs
    .filter((log) => log.time >= from && log.time < to && log.time >= oldest && log.visibleAt <= nowMs)
    .sort((a, b) => a.time - b.time);
}
