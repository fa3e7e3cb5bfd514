// What the SDK is measured against: a server that checks, stores and computes nothing. The argument is a JSON file with
// one answer in base64 for each path; prints its address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const answers = new Map(
  Object.entries(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Record<string, string>).map(
    ([path, answer]) => [path, Buffer.from(answer, "base64")],
  ),
);
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    const body = answers.get(request.url ?? "");
    response.writeHead(body === undefined ? 404 : 200, { "Content-Length": body?.length ?? 0 });
    response.end(body);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
