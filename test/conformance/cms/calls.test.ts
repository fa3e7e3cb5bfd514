// What all calls of CloudMonitor have in common: signature, version, limit, faults.

import { expect, it } from "vitest";
import { aCloud, asked, cmsClient } from "./world.ts";

it("refuses an operation that is not served", async () => {
  await expect(cmsClient(await aCloud())("DescribeNothing", {})).rejects.toMatchObject({
    statusCode: 404,
    code: "InvalidAction.NotFound",
  });
});

it("refuses a wrong signature and another version, and lists every call", async () => {
  const cloud = await aCloud();
  await expect(cmsClient(cloud, { accessKeySecret: "wrong" })("DescribeMetricLast", asked)).rejects.toMatchObject({
    code: "SignatureDoesNotMatch",
  });
  await expect(cmsClient(cloud, { version: "2018-01-01" })("DescribeMetricLast", asked)).rejects.toMatchObject({
    code: "InvalidVersion",
  });
  await cmsClient(cloud)("DescribeMetricLast", asked);
  expect(cloud.calls.since(0).calls).toMatchObject([
    { service: "cms", operation: "DescribeMetricLast", status: 400, caller: { principal: "" } },
    { status: 404, code: "InvalidVersion" },
    { status: 200, caller: { principal: "admin" }, params: asked },
  ]);
});

it("blocks an operation beyond fifty calls a second", async () => {
  const call = cmsClient(await aCloud());
  const ended = await Promise.allSettled(Array.from({ length: 51 }, () => call("DescribeMetricLast", asked)));
  const refused = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(refused).toMatchObject([{ code: "Throttling.User" }]);
});

it("plays the faults of calls", async () => {
  const cloud = await aCloud();
  const call = cmsClient(cloud);
  cloud.faults.set([
    { service: "cms", times: 1, fault: { kind: "reject", status: 503, code: "ServiceUnavailable" } },
    { service: "cms", times: 1, fault: { kind: "html-502" } },
    { service: "cms", times: 1, fault: { kind: "drop-before" } },
  ]);
  await expect(call("DescribeMetricLast", asked)).rejects.toMatchObject({ code: "ServiceUnavailable" });
  await expect(call("DescribeMetricLast", asked)).rejects.toThrow();
  await expect(call("DescribeMetricLast", asked)).rejects.toThrow();
  expect(cloud.calls.since(0).calls.map(({ status }) => status)).toEqual([503, 502, 0]);
  await expect(call("DescribeMetricLast", asked)).resolves.toMatchObject({ Code: "200" });
});
