// What `npm start` tells the person who ran it.
import type { DevRecord } from "./dev-record.ts";

/** Addresses, the token and three commands to try. */
export function bannerOf(record: DevRecord, recordFile: string, problems: readonly string[]): string {
  const web = record.instances.find(({ name }) => name === "web-1");
  const address = web?.address ?? "127.10.0.11";
  const port = record.mappedPorts[`${address}:22`] ?? 22;
  const engine =
    record.dataPlane === "nft" ? "nft (dropped packets vanish)" : "userspace (refused connections are reset)";
  const authorization = `-H "Authorization: Bearer ${record.token}"`;
  return [
    "",
    "safeport, on its embedded cloud",
    "",
    `  API          ${record.api}`,
    `  control      ${record.control}`,
    `  data plane   ${engine}`,
    `  details      ${recordFile}`,
    `  admin token  ${record.token}`,
    ...problems.map((problem) => `  note         ${problem}`),
    "",
    "Try, in another terminal:",
    "",
    `  1. Port 22 of web-1 is closed. This ${record.dataPlane === "nft" ? "times out" : "is cut off"}:`,
    `     curl -m 3 telnet://${address}:${port}`,
    "  2. Open it for yourself for a minute, and run 1 again (Ctrl-C ends it):",
    `     curl -X PUT ${authorization} "${record.api}/safeport/temp_allow?port=22&period=60"`,
    "  3. Watch it close itself:",
    `     curl ${authorization} "${record.api}/v1/leases"`,
    "",
    "",
  ].join("\n");
}
