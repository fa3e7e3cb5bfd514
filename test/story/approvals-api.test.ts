// Second persons over HTTP, on the deployed program with the policy of `npm start`; every answer is held against its schema.
import { afterAll, beforeAll, expect, test } from "vitest";
import { answersOf } from "../../shared/http/answers.ts";
import { problemView } from "../../shared/http/answers-operation.ts";
import { routes } from "../../shared/http/routes.ts";
import { type ApiAnswer, type Deployed, deploy } from "../kit/deployed.ts";

let world: Deployed;
beforeAll(async () => {
  world = await deploy();
});
afterAll(() => world?.stop());

async function call(operationId: string, token: string, id = "", input: object = {}): Promise<ApiAnswer> {
  const route = routes.find((it) => it.operationId === operationId);
  if (route === undefined) throw new Error(`no route ${operationId}`);
  const query = operationId === "tempAllow" ? "?port=6379&period=600" : "";
  const answer = await world.api(route.method, route.path.replace("{id}", id) + query, {
    token,
    ...(route.method === "GET" ? {} : { body: input }),
  });
  const schema = answer.status < 400 ? answersOf(route.operationId)[answer.status] : problemView();
  expect(schema?.parse(answer.body), `${operationId} answers ${answer.status}`).toEqual(answer.body);
  return answer;
}

const standing = () => world.rules("web").filter((rule) => rule.portRange === "6379/6379");

test("a port that needs a second person opens once an approver has seen the request", async () => {
  const { requester, approver, admin } = world.tokens;
  const asked = await call("tempAllow", requester);
  expect([asked.status, asked.body.state, standing()]).toEqual([202, "requested", []]);
  expect(asked.body.message).toMatch(/waits to be approved .* it opens for 600 seconds/);
  expect((await call("tempAllow", requester)).body.id).toBe(asked.body.id);
  const { id } = asked.body;
  const waiting = await call("listApprovals", approver);
  expect(waiting.body.leases.map((it: { id: string }) => it.id)).toEqual([id]);
  expect((await call("listApprovals", requester)).body.leases).toEqual([]);
  expect((await call("approveLease", requester, id)).body.code).toBe("APPROVAL_OWN");
  expect((await call("approveLease", world.tokens.operator, id)).body.code).toBe("APPROVER_MISSING");
  expect((await call("denyLease", admin, id)).body.code).toBe("REQUEST_INVALID");
  expect((await call("approveLease", approver, id, { change: "0".repeat(64) })).body.code).toBe("APPROVAL_CHANGED");
  const { change } = waiting.body.leases[0].approval;
  const approved = await call("approveLease", approver, id, { change, reason: "seen" });
  expect([approved.status, approved.body.state, standing().length]).toEqual([200, "open", 1]);
  expect(approved.body.approval.words).toMatchObject([
    { by: "approver", decision: "approve", via: "api", reason: "seen" },
  ]);
  expect((await call("denyLease", admin, id, { reason: "too late" })).body.code).toBe("APPROVAL_DECIDED");
  const records = await world.api("GET", "/v1/records", { token: world.tokens.auditor });
  expect(JSON.stringify(records.body)).toMatch(/approver said approve to [0-9a-f]{16} by api: seen/);
  // Who, from where, before and after, and by which line of the policy.
  const told = (cause: string) => records.body.records.find((it: { cause: string }) => it.cause === `${cause} ${id}`);
  const from = (name: string) =>
    expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1/32, token [0-9a-f]{16} issued by ${name}$`));
  const lease = (before: string | null, after: string) =>
    expect.arrayContaining([{ what: `lease ${id}`, before, after }]);
  const decidedBy = expect.stringMatching(/^grants: \S+, policy \d+$/);
  expect(told("ask")).toMatchObject({
    actor: "requester",
    from: from("setup"),
    decidedBy,
    changes: lease(null, "requested"),
  });
  expect(told("decide")).toMatchObject({
    actor: "approver",
    from: from("setup"),
    decidedBy,
    changes: lease("requested", "approved"),
  });
  expect(told("open")).toMatchObject({
    actor: "approver",
    from: from("setup"),
    decidedBy,
    changes: lease("opening", "open"),
  });
  const { changes } = told("open");
  expect(changes[0]).toMatchObject({ before: null, after: { description: expect.stringContaining("safeport/1 ") } });
  await world.advance(11 * 60_000);
  expect(standing()).toEqual([]);
});

test("what opens without its second person is named by health until it is justified", async () => {
  const { operator } = world.tokens;
  const body = { port: 6379, period: 600, group: "web", breakGlass: true, reason: "orders are failing" };
  const { body: opened } = await call("openLease", operator, "", body);
  expect([opened.state, opened.breakGlass.justified]).toEqual(["open", null]);
  expect((await call("health", operator)).body).toMatchObject({ unjustified: [{ lease: opened.id }] });
  const { body: said } = await call("justifyLease", operator, opened.id, { text: "a stuck queue, emptied by hand" });
  expect(said.breakGlass.justified).toMatchObject({ by: "operator" });
  expect((await call("health", operator)).body.unjustified).toEqual([]);
  const requester = await call("openLease", world.tokens.requester, "", body);
  expect([requester.status, requester.body.code]).toEqual([403, "BREAK_GLASS_FORBIDDEN"]);
});

test("one person is never both, by a second token or by tokens issued one with the other", async () => {
  const { admin } = world.tokens;
  const issue = async (token: string, principal: string, ...roles: string[]): Promise<string> =>
    (await call("issueToken", token, "", { principal, roles })).body.token;
  const ann = await issue(admin, "ann", "requester");
  const eve = await issue(admin, "eve", "approver");
  // Clocks of instances differ by a little.
  await world.advance(10_000);
  const asked = await call("tempAllow", ann);
  const { id } = asked.body;
  await world.advance(10_000);
  const second = await issue(admin, "ann", "approver", "admin");
  expect((await call("approveLease", second, id)).body.code).toBe("APPROVAL_OWN");
  // Ann, an admin by now, issues a token for a deputy, and with that one another, and with that one the approver's.
  const deputy = await issue(second, "deputy", "admin");
  const third = await issue(deputy, "carl", "admin");
  const approver = await issue(third, "bob", "approver");
  for (const token of [deputy, third, approver])
    expect((await call("approveLease", token, id)).body.code).toBe("APPROVAL_OWN");
  const rotated = await world.api("POST", `/v1/tokens/${approver.split("_")[1]}:rotate`, { token: approver, body: {} });
  expect(rotated.status).toBe(200);
  expect((await call("approveLease", rotated.body.token, id)).body.code).toBe("APPROVAL_OWN");
  expect((await call("getLease", ann, id)).body.state).toBe("requested");
  // Nobody is made an approver for what waits.
  const late = await issue(admin, "dora", "approver");
  expect((await call("approveLease", late, id)).body).toMatchObject({ code: "TOKEN_TOO_NEW" });
  // Who issued the token it was asked with could have asked.
  expect((await call("approveLease", admin, id)).body.code).toBe("APPROVAL_ISSUER");
  // Somebody who has had a token of the same admin since before is another person.
  expect((await call("approveLease", eve, id)).body.state).toBe("open");
});
