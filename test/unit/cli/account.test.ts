// What commands in the account take from the environment is what `s.yaml` gives the functions.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readServerlessFile } from "../../../cli/deploy/serverless-file.ts";
import { accountOf, stepsOf } from "../../../cli/safeport/account.ts";
import type { Surroundings } from "../../../cli/safeport/command.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";

const accountId = "100000000000";

test.each([{}, { SAFEPORT_FUNCTION_PREFIX: "acme-" }, { SAFEPORT_FUNCTION_PREFIX: "" }])(
  "%o: the role may call the functions that wake-ups and failed calls go to, and doctor wakes the same",
  (prefix) => {
    const env = {
      SAFEPORT_REGION: "cn-hangzhou",
      SAFEPORT_ACCOUNT_ID: accountId,
      SAFEPORT_INSTALLATION: "test",
      SAFEPORT_MARK_SECRET: "m".repeat(32),
      SAFEPORT_TABLESTORE_INSTANCE: "safeport",
      ALIBABA_CLOUD_ACCESS_KEY_ID: "a",
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: "b",
      ...prefix,
    };
    const surroundings: Surroundings = {
      ...{ env, fetch, clock: systemClock, stopped: Promise.resolve() },
      ...{ out: () => undefined, err: () => undefined },
    };
    const account = accountOf(surroundings);
    const { sweep, audit } = readServerlessFile(readFileSync("s.yaml", "utf8"), { env, accountId });
    const called = [audit, sweep].flatMap((it) => {
      const name = `acs:fc:cn-hangzhou:${accountId}:functions/${it?.functionName}`;
      return [name, `${name}/*`];
    });
    const { Statement } = stepsOf(surroundings, account).ramPolicy;
    expect(Statement.find((it) => it.Action.includes("fc:InvokeFunction"))?.Resource).toEqual(called);
    expect(account.configuration.endpoints.sweepFunction).toBe(sweep?.functionName);
  },
);
