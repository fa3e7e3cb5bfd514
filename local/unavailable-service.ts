// A port for a service that the embedded cloud does not have yet: it refuses every call in the service's error shape.

import { createServer, type Server } from "node:http";
import type { Random } from "../shared/ports/random.ts";
import { hexText } from "./random.ts";

/** A server, not listening yet, that answers 501 to everything. */
export function createUnavailableService(name: string, random: Random, onCall: (operation: string) => void): Server {
  return createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const operation = String(request.headers["x-acs-action"] ?? request.url ?? "");
      onCall(operation);
      const document = {
        Code: "NotImplemented",
        Message: `The embedded cloud has no ${name} yet.`,
        RequestId: hexText(random, 32).toUpperCase(),
        errorCode: "NotImplemented",
        errorMessage: `The embedded cloud has no ${name} yet.`,
      };
      response.writeHead(501, { "content-type": "application/json" });
      response.end(JSON.stringify(document));
    });
  });
}
