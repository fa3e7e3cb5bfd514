// GetProject: what a project is.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

it("tells of a project, and of no other", async () => {
  const { call, post, project } = await anSls("v4");
  expect(outcomeOf(await call({ path: "/" }))).toBe("404 ProjectNotExist");
  await post("/", { projectName: project, description: "made by a test" });
  const { status, body } = await call({ path: "/" });
  expect([status, body]).toMatchObject([
    200,
    { projectName: project, description: "made by a test", createTime: expect.any(String) },
  ]);
});
