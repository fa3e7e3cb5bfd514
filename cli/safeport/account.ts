// What commands that work in the account itself read: the functions' own configuration, and the operator's keys.
import {
  type Configuration,
  type Credentials,
  environmentCredentials,
  readSettings,
} from "../../shared/config/settings.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { type InstallationSteps, type InstallationWish, installationSteps } from "../setup/installation-steps.ts";
import { policyTextOf } from "../setup/policy-file.ts";
import type { Surroundings } from "./command.ts";

export interface Account {
  readonly configuration: Configuration;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** Throws with words where configuration or keys are missing. */
export function accountOf({ env, clock }: Surroundings): Account {
  // What s.yaml gives the functions is what setup makes things for.
  const configuration = readSettings({
    SAFEPORT_HEARTBEAT: "on",
    SAFEPORT_SWEEP_FUNCTION: `${functionPrefixOf(env)}sweep`,
    ...env,
  });
  const credentials = environmentCredentials(env);
  if (credentials === null)
    throw new Error("ALIBABA_CLOUD_ACCESS_KEY_ID or ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing. Set both.");
  return { configuration, credentials, clock };
}

/** Before the name of each function. */
export const functionPrefixOf = (env: Surroundings["env"]): string => env["SAFEPORT_FUNCTION_PREFIX"] ?? "safeport-";

/** The name of the functions' role, and of its policy. */
export const roleOf = ({ env }: Surroundings): string => env["SAFEPORT_ROLE"] || "safeport";

/** The steps of an installation, as s.yaml names its parts. */
export function stepsOf(
  surroundings: Surroundings,
  { configuration, credentials, clock }: Account,
  wish: Partial<InstallationWish> = {},
): InstallationSteps {
  const { env } = surroundings;
  return installationSteps({
    configuration,
    credentials,
    clock,
    policyText: policyTextOf("", ""),
    admin: "admin",
    tokenDays: 90,
    role: roleOf(surroundings),
    functionPrefix: functionPrefixOf(env),
    logs: {
      project: env["SAFEPORT_LOG_PROJECT"] || "safeport-logs",
      logstore: env["SAFEPORT_LOG_STORE"] || "functions",
    },
    contacts: null,
    webhook: null,
    ...wish,
  });
}
