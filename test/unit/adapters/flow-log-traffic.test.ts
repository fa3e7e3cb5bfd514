// What is made of the log service's answers that no real log is needed for.
import { expect, test } from "vitest";
import { flowLogTraffic } from "../../../shared/adapters/alibaba/flow-log-traffic.ts";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { WINDOW_MS } from "../../../shared/domain/evidence.ts";

const region = "cn-hangzhou";
const FROM = Date.UTC(2026, 10, 2, 23, 45);
const { recycling } = defaultPolicy(region);

interface Asked {
  readonly ms: number;
  readonly isCoverage: boolean;
}

/** A log service that answers each question by its length. */
function traffic(answer: (asked: Asked) => { readonly progress: string; readonly data: readonly unknown[] }) {
  const asked: Asked[] = [];
  const reading = flowLogTraffic({
    clock: { now: () => FROM, monotonicMs: () => 0, sleep: async () => undefined },
    places: [{ region, project: "net", logstore: "flow" }],
    vpc: { call: async () => expect.fail(), skewMs: () => 0 },
    sls: {
      call: async ({ body }) => {
        const { query } = body as { readonly query: string };
        const [, from, until] = />= (\d+) and cast\("start" as bigint\) < (\d+)/.exec(query) ?? [];
        const one = { ms: (Number(until) - Number(from)) * 1000, isCoverage: query.includes("as parts") };
        asked.push(one);
        const { progress, data } = answer(one);
        return { meta: { progress }, data };
      },
    },
  });
  const read = (ms: number) => reading.read({ region, from: FROM, until: FROM + ms, recycling }, 50);
  return { asked, read };
}

const told = (kind: string) => ({ eni: "eni-1", proto: "17", port: "514", kind, who: "10.0.0.9", last: FROM / 1000 });

test("a part of a window and a half that stays incomplete is cut as well", async () => {
  const { read, asked } = traffic(({ ms }) => ({ progress: ms > WINDOW_MS ? "Incomplete" : "Complete", data: [] }));
  expect((await read(1.5 * WINDOW_MS)).kind).toBe("complete");
  expect(asked.map(({ ms }) => ms / WINDOW_MS)).toEqual([1.5, 1.5, 1, 1, 0.5, 0.5]);
});

test("what a part of an answer cannot tell, and all of it can, is not unclear", async () => {
  const { read } = traffic(({ ms, isCoverage }) => {
    const isWhole = isCoverage || ms <= 3 * WINDOW_MS;
    return { progress: isWhole ? "Complete" : "Incomplete", data: isCoverage || isWhole ? [] : part };
  });
  const part = [told("unclear"), { ...told("real"), port: "53" }];
  const { kind, members } = await read(6 * WINDOW_MS);
  expect(kind).toBe("complete");
  expect(
    members[0]?.ports.map(({ port, unclearAt }) => [port, unclearAt]),
    "and what it proves counts",
  ).toEqual([[53, null]]);
});

test("of more unclear ports than are listed any may be meant", async () => {
  const { read } = traffic(({ isCoverage }) => ({
    progress: "Complete",
    data: isCoverage ? [] : [{ ...told("unclear"), whos: "257" }],
  }));
  const { members } = await read(WINDOW_MS);
  expect(members[0]?.ports).toMatchObject([
    { protocol: "udp", port: 514, unclearAt: FROM },
    { protocol: "udp", port: 0, unclearAt: FROM },
  ]);
});
