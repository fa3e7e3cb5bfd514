// The platform's word that an asynchronous call failed for good.
import { expect, test } from "vitest";
import { readDeadLetter } from "../../../shared/events/dead-letter.ts";

const message = {
  timestamp: 1,
  requestContext: {
    requestId: "r-1",
    functionArn: "acs:fc:cn-hangzhou:100000000000:functions/safeport-audit",
    condition: "UnhandledInvocationError",
    approximateInvokeCount: 4,
  },
  requestPayload: "{}",
  responseContext: { statusCode: 200, functionError: "UnhandledInvocationError" },
  responsePayload: "",
};

test("names the function, the call and what went wrong, and nothing of what was asked for", () => {
  expect(readDeadLetter(Buffer.from(JSON.stringify(message)))).toEqual({
    function: "safeport-audit",
    requestId: "r-1",
    condition: "UnhandledInvocationError",
  });
});

test.each(["", "{", "[]", "{}", { triggerTime: "x" }, { requestContext: { http: {} } }, null])(
  "any other event is none: %j",
  (event) => {
    expect(readDeadLetter(event)).toBeNull();
  },
);
