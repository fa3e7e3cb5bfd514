// How long after the answer of a call a rule is in force on the wire, with many groups and rules.
import { connect } from "node:net";
import * as sdk from "@alicloud/ecs20140526";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import { type Cloud, startCloud } from "../local/cloud.ts";
import { seededRandom } from "../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../local/seed.ts";
import { percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";

const GROUPS = 200;
const RULES = 200;
const NET = "127.125";
const PORT = 5022;
const REGION = "cn-hangzhou";
const LATE_MS_MAX = 50;
/** How long after the answer the wire is watched. */
const WATCH_MS = 120;
const STEP_MS = 5;

const Client = (sdk.default as unknown as { default?: typeof sdk.default }).default ?? sdk.default;

/** Opens and closes ports one after another, and prints when the wire followed. Answers whether the promise was kept. */
export async function benchDataPlane(isShort: boolean): Promise<boolean> {
  const cloud = await startCloud({
    account: crowdedAccount(),
    range: `${NET}.0.0/16`,
    tableName: `safeport_bench_${process.pid}`,
    limits: { callsPerMinute: 100_000 },
  });
  try {
    return await measure(cloud, isShort ? 10 : 50);
  } finally {
    await cloud.stop();
  }
}

function crowdedAccount() {
  const groups = Array.from({ length: GROUPS }, (_, index) => ({
    groupId: `sg-bench${index}`,
    name: `bench-${index}`,
    rules: Array.from({ length: RULES }, (_each, at) => ({
      portRange: `${10_000 + at}/${10_000 + at}`,
      sourceCidrIp: `10.${index}.${at}.0/24`,
    })),
  }));
  const instances = groups.map(({ groupId, name }, index) => ({
    instanceId: `i-bench${index}`,
    name,
    address: `${NET}.${index >> 6}.${1 + (index & 63)}`,
    groupIds: [groupId],
    listening: [PORT],
  }));
  return { ...seedAccount(seededRandom("bench")), groups, instances };
}

async function measure(cloud: Cloud, turns: number): Promise<boolean> {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const { ecs: endpoint } = cloud.endpoints;
  const client = new Client(
    new $OpenApiUtil.Config({ accessKeyId, accessKeySecret, regionId: REGION, endpoint, protocol: "http" }),
  );
  const answers: number[] = [];
  const late: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const { address, groupIds } = cloud.account.instances[(turn * 37) % GROUPS] ?? { address: "", groupIds: [] };
    const rule = { ipProtocol: "TCP", portRange: `${PORT}/${PORT}`, sourceCidrIp: "127.0.0.1", policy: "accept" };
    const securityGroupId = groupIds[0] ?? "";
    const timed = async (call: () => Promise<unknown>): Promise<void> => {
      const startMs = performance.now();
      await call();
      answers.push(performance.now() - startMs);
    };
    const permissions = [{ ...rule, priority: "1" }];
    const common = { regionId: REGION, securityGroupId };
    await timed(() =>
      client.authorizeSecurityGroup(
        new sdk.AuthorizeSecurityGroupRequest({
          ...common,
          permissions: permissions.map((each) => new sdk.AuthorizeSecurityGroupRequestPermissions(each)),
        }),
      ),
    );
    late.push(await followedAfter(address, true));
    await timed(() =>
      client.revokeSecurityGroup(
        new sdk.RevokeSecurityGroupRequest({
          ...common,
          permissions: permissions.map((each) => new sdk.RevokeSecurityGroupRequestPermissions(each)),
        }),
      ),
    );
    late.push(await followedAfter(address, false));
    progress(`${turn + 1} of ${turns} ports opened and closed`);
  }
  progress("");
  row("engine", cloud.dataPlane.engine);
  row("groups, rules of each", `${GROUPS}, ${RULES}`);
  row("call that changes a rule p50", `${percentile(answers, 50).toFixed(0)} ms`);
  row("call that changes a rule p99", `${percentile(answers, 99).toFixed(0)} ms`);
  row("in force after the answer p50", `${percentile(late, 50).toFixed(0)} ms`);
  row("in force after the answer max", `${percentile(late, 100).toFixed(0)} ms`);
  return verdict(`max <= ${LATE_MS_MAX} ms`, percentile(late, 100) <= LATE_MS_MAX);
}

/** Milliseconds from now to the first attempt from which on all meet what is wanted; as long as the watch when none do. */
async function followedAfter(address: string, isOpen: boolean): Promise<number> {
  const startMs = performance.now();
  const attempts: { readonly atMs: number; readonly met: Promise<boolean> }[] = [];
  while (performance.now() - startMs < WATCH_MS) {
    attempts.push({ atMs: performance.now() - startMs, met: reaches(address) });
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  let followed = WATCH_MS;
  const outcomes = await Promise.all(attempts.map(({ met }) => met));
  for (let at = attempts.length - 1; at >= 0 && outcomes[at] === isOpen; at--)
    followed = attempts[at]?.atMs ?? WATCH_MS;
  return followed;
}

/** Whether the instance speaks within its time: a dropped packet is not sent again sooner than after a second. */
function reaches(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: PORT });
    const done = (reached: boolean) => () => {
      socket.destroy();
      resolve(reached);
    };
    socket.setTimeout(600, done(false));
    socket.once("data", done(true));
    socket.once("error", done(false));
    socket.once("close", done(false));
  });
}
