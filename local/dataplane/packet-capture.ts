// Captures the packets that the nftables table logs, with `tcpdump`.

import { spawn } from "node:child_process";
import { type LoggedPacket, nflogReader } from "./nflog.ts";

/** A running capture. */
export interface PacketCapture {
  stop(): Promise<void>;
}

// A watcher waits for the end of standard input: when this program dies, however it dies, tcpdump goes too.
const COMMAND = `exec 3<&0
(read _ <&3; kill "$$") >/dev/null 2>&1 &
exec 3<&-
exec tcpdump -i "nflog:$1" -w - -U --immediate-mode -Z root`;

/** Starts to capture; undefined where tcpdump is missing, may not, or somebody else has the group. `onEnd` tells of an end nobody asked for. */
export function startCapture(
  logGroup: number,
  onPacket: (packet: LoggedPacket) => void,
  onEnd: () => void,
): Promise<PacketCapture | undefined> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", COMMAND, "sh", String(logGroup)], { stdio: ["pipe", "pipe", "pipe"] });
    const ended = new Promise<void>((done) => {
      child.once("close", () => done());
      child.once("error", () => done());
    });
    let stopping = false;
    let printed = "";
    const read = nflogReader(onPacket);
    child.stdin.on("error", () => undefined); // It died: `close` says so.
    child.stdout.on("data", (chunk: Buffer) => {
      try {
        read(chunk);
      } catch {
        child.stdin.end("\n");
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-2000);
      // It says so once the group is bound, and nothing before that is missed afterwards.
      if (!/listening on/.test(printed)) return;
      resolve({
        stop: async () => {
          stopping = true;
          child.stdin.end("\n");
          await ended;
        },
      });
    });
    void ended.then(() => {
      resolve(undefined);
      if (!stopping) onEnd();
    });
  });
}
