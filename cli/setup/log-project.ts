// Where the functions write their logs. Uninstall leaves it: what is in there is told nowhere else.
import type { SlsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { TrafficFailure } from "../../shared/ports/traffic.ts";
import type { Step } from "./steps.ts";

/** What is to be there. */
export interface LogOrder {
  readonly region: string;
  readonly project: string;
  readonly logstore: string;
}

/** Long enough to look into a month's doubt, short enough to cost little. */
const KEPT_DAYS = 30;
const SHARDS = 1;

/** The project and its logstore; the index that people search by is made in the console. */
export function logSteps(sls: SlsClient, { region, project, logstore }: LogOrder): readonly Step[] {
  const isThere = async (path: string): Promise<boolean> => {
    try {
      await sls.call({ region, project, method: "GET", path });
      return true;
    } catch (error) {
      if (error instanceof TrafficFailure && error.kind === "gone") return false;
      throw error;
    }
  };
  /** That it is there already is as good: somebody else was faster, or an answer was lost. */
  const make = async (path: string, body: unknown): Promise<undefined> => {
    try {
      await sls.call({ region, project, method: "POST", path, body });
    } catch (error) {
      if (!(error instanceof TrafficFailure) || !error.cloudCode?.endsWith("AlreadyExist")) throw error;
    }
    return undefined;
  };
  const step = (id: string, what: string, path: string, making: () => Promise<undefined>): Step => ({
    id,
    look: async () => ((await isThere(path)) ? { state: "ready" } : { state: "missing", what }),
    make: making,
  });
  return [
    step(`log project ${project}`, `make the log project ${project}`, "/", () =>
      make("/", { projectName: project, description: "safeport's functions" }),
    ),
    step(`logstore ${logstore}`, `make the logstore ${logstore} in ${project}`, `/logstores/${logstore}`, () =>
      make("/logstores", { logstoreName: logstore, ttl: KEPT_DAYS, shardCount: SHARDS }),
    ),
  ];
}
