// What `npm start` takes from the environment.

export type ServiceName = "api" | "control" | "ecs" | "tablestore" | "cms" | "sls" | "fc" | "actiontrail" | "vpc";

export interface DevOptions {
  /** Folder of everything that outlives the program. */
  readonly home: string;
  /** 0 lets the machine choose. */
  readonly ports: Readonly<Record<ServiceName, number>>;
  readonly engine: "auto" | "nft" | "userspace";
  /** First two numbers of the instances' addresses, such as `127.10`. */
  readonly network: string;
}

/** Thrown with a sentence that says what to correct. */
class OptionsError extends Error {
  override readonly name = "OptionsError";
}

const API_PORT = 9000;
const DEFAULT_PORTS = {
  control: 9099,
  ecs: 9100,
  tablestore: 9101,
  cms: 9102,
  sls: 9103,
  fc: 9104,
  actiontrail: 9105,
  vpc: 9106,
  ram: 9107,
} as const;

/**
 * `PORT` moves the API, and every other service by as much; `SAFEPORT_<SERVICE>_PORT` places one service. `SAFEPORT_NETWORK`
 * (`127.10`) and `SAFEPORT_ENGINE` (auto, nft, userspace) let two clouds live on one host.
 */
export function readDevOptions(env: Readonly<Record<string, string | undefined>>): DevOptions {
  const api = portOf("PORT", env["PORT"]) ?? API_PORT;
  const others = Object.entries(DEFAULT_PORTS).map(([service, port]) => {
    const name = `SAFEPORT_${service.toUpperCase()}_PORT`;
    const moved = api === 0 ? 0 : port + api - API_PORT;
    return [service, portOf(name, env[name]) ?? checkMoved(moved, name)];
  });
  const network = env["SAFEPORT_NETWORK"] || "127.10";
  const second = /^127\.(\d{1,3})$/.exec(network)?.[1];
  if (second === undefined || Number(second) < 1 || Number(second) > 255)
    throw new OptionsError(`SAFEPORT_NETWORK is "${network}". Set it to 127.1 to 127.255, or leave it out for 127.10.`);
  const asked = env["SAFEPORT_ENGINE"] || "auto";
  const engine = (["auto", "nft", "userspace"] as const).find((each) => each === asked);
  if (engine === undefined)
    throw new OptionsError(`SAFEPORT_ENGINE is "${asked}". Set it to auto, nft or userspace, or leave it out.`);
  return {
    home: env["SAFEPORT_HOME"] || ".safeport",
    ports: { api, ...(Object.fromEntries(others) as Record<Exclude<ServiceName, "api">, number>) },
    engine,
    network,
  };
}

function portOf(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new OptionsError(`${name} is "${text}". Set it to a port from 1 to 65535, or 0 for any free one.`);
}

function checkMoved(port: number, name: string): number {
  if (port >= 0 && port <= 65_535) return port;
  throw new OptionsError(`The port of ${name} would be ${port}. Choose another PORT, or set ${name}.`);
}
