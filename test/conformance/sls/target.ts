// The log service for the tests, embedded or real: a project of the test's own, which goes with it.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { seedUser } from "../../../local/seed.ts";
import { type Place, realPlaceOf } from "../real-account.ts";
import { type Answer, aCloud, type SlsPlace, slsCaller } from "./world.ts";

/** What a test is given. */
export interface SlsTarget {
  /** Name of the test's own project; it is not there yet. */
  readonly project: string;
  /** A call to that project. Writes to any other cannot be made. */
  readonly call: ReturnType<typeof slsCaller>;
  /** The same with a JSON body. */
  post(path: string, body: object): Promise<Answer>;
  /** Makes the project, and in it the logstore `flow`, with an index when one is given. */
  make(index?: object): Promise<void>;
  /** `from` and `to` of a query: the last minutes. */
  range(): { readonly from: number; readonly to: number };
}

const readyTries = 60;

/** The account, for one test. */
export async function anSls(signing?: SlsPlace["signing"]): Promise<SlsTarget> {
  const real = realPlaceOf("SLS", (regionId) => `${regionId}.log.aliyuncs.com`);
  const cloud = real === undefined ? await aCloud() : undefined;
  const place: Place = real ?? {
    url: `http://${cloud?.endpoints.sls}`,
    regionId: "cn-hangzhou",
    ...seedUser((cloud as NonNullable<typeof cloud>).account, "admin"),
  };
  const project = `conformance-${randomBytes(6).toString("hex")}`;
  const now = cloud === undefined ? () => Date.now() : () => cloud.clock.now();
  const host = `${project}.${place.regionId}.log.aliyuncs.com`;
  const call = slsCaller({ ...place, host, signing, now });
  const post: SlsTarget["post"] = (path, body) => call({ method: "POST", path, body });
  // A cloud of the test's own ends with it.
  if (real !== undefined)
    onTestFinished(async () => {
      const { status, body } = await call({ method: "DELETE", path: "/" });
      if (status !== 200 && body.errorCode !== "ProjectNotExist") throw new Error(`${project} is left behind.`);
    });
  return {
    ...{ project, call, post },
    make: async (index) => {
      await post("/", { projectName: project, description: "made by a test" });
      // A real project takes its time.
      for (let tries = 0; tries < readyTries; tries += 1) {
        const { status, body } = await post("/logstores", { logstoreName: "flow", ttl: 3, shardCount: 1 });
        if (status === 200 || body.errorCode === "LogStoreAlreadyExist") break;
        await delay(1_000);
      }
      if (index !== undefined) await post("/logstores/flow/index", index);
    },
    range: () => ({ from: Math.floor(now() / 1_000) - 600, to: Math.floor(now() / 1_000) }),
  };
}

/** Status and code of an answer. */
export const outcomeOf = ({ status, body }: Answer): string => `${status} ${body?.errorCode ?? "OK"}`;
