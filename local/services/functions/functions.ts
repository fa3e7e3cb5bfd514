// The embedded Function Compute as one object: deployed functions, the HTTP trigger's port and the API's port.

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultTable } from "../../faults.ts";
import type { Authorize } from "../../ram.ts";
import { type ApiCall, createFunctionApi } from "./function-api.ts";
import { FunctionRegistry, type RegistryOptions } from "./function-registry.ts";
import { harnessPath } from "./harness-build.ts";
import { createGateway, type Route } from "./http-gateway.ts";
import type { ApiKey } from "./signature.ts";

/** Everything that can be set. Ports of 0 are chosen by the machine. */
export interface FunctionsOptions extends Omit<RegistryOptions, "harnessPath"> {
  readonly host?: string;
  readonly gatewayPort?: number;
  readonly apiPort?: number;
  /** Where the API of the platform listens; default `host`. */
  readonly apiHost?: string;
  readonly findKey: (accessKeyId: string) => ApiKey | undefined;
  readonly routes?: readonly Route[];
  readonly defaultFunction?: string;
  readonly faults?: FaultTable;
  readonly authorize?: Authorize;
  readonly onCall?: (call: ApiCall) => void;
  /** The built harness; found or built when omitted. */
  readonly harnessPath?: string;
}

/** A running Function Compute. */
export interface Functions {
  readonly registry: FunctionRegistry;
  readonly gatewayPort: number;
  readonly apiPort: number;
  /** Takes no more requests, starts nothing that waits, and resolves when what runs has ended. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Starts listening; functions are deployed through `registry`. */
export async function startFunctions(options: FunctionsOptions): Promise<Functions> {
  const registry = new FunctionRegistry({ ...options, harnessPath: options.harnessPath ?? (await harnessPath()) });
  const { host = "127.0.0.1", clock, routes, defaultFunction, accountId, region } = options;
  const gateway = createGateway({
    registry,
    now: () => clock.now(),
    accountId,
    region,
    ...(routes === undefined ? {} : { routes }),
    ...(defaultFunction === undefined ? {} : { defaultFunction }),
  });
  const { findKey, faults, authorize, onCall } = options;
  const api = createFunctionApi({
    ...{ registry, clock, findKey, arn: `acs:fc:${region}:${accountId}:` },
    ...(authorize === undefined ? {} : { authorize }),
    ...(faults === undefined ? {} : { faults }),
    ...(onCall === undefined ? {} : { onCall }),
  });
  const servers = [gateway, api];
  const drain = async (): Promise<void> => {
    gateway.close();
    gateway.closeIdleConnections();
    registry.hold();
    await registry.idle();
  };
  const close = async (): Promise<void> => {
    registry.close();
    await Promise.all(servers.map(closeServer));
  };
  try {
    const gatewayPort = await listen(gateway, host, options.gatewayPort ?? 0);
    const apiPort = await listen(api, options.apiHost ?? host, options.apiPort ?? 0);
    return { registry, gatewayPort, apiPort, drain, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Listens and answers the port. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops listening and ends every connection. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
