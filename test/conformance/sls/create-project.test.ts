// CreateProject: once by a name.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

it("makes a project, and none of the same name", async () => {
  const { call, post, project } = await anSls();
  expect(outcomeOf(await call({ path: "/" }))).toBe("404 ProjectNotExist");
  const body = { projectName: project, description: "made by a test" };
  expect(outcomeOf(await post("/", body))).toBe("200 OK");
  expect(outcomeOf(await post("/", body))).toBe("400 ProjectAlreadyExist");
});
