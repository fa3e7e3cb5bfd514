// ActiveFlowLog: a flow log that rests writes again.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aVpc } from "./target.ts";

it("wakes a flow log that rests, by SDK and by bytes", async () => {
  const { call, inState, make, raw } = await aVpc();
  const id = await make();
  await inState("Active");
  await call("DeactiveFlowLog", id);
  await inState("Inactive");
  expect(await call("ActiveFlowLog", id)).toMatchObject({ Success: "true" });
  await inState("Active");
  await call("DeactiveFlowLog", id);
  await inState("Inactive");
  expect((await raw("ActiveFlowLog", id)).status).toBe(200);
  await inState("Active");
});

it("refuses an unknown flow log", async () => {
  const { raw } = await aVpc();
  expect(outcomeOf(await raw("ActiveFlowLog", { FlowLogId: NOBODY }))).toBe("404 InvalidFlowLogId.NotFound");
});
