// What a simulated host answers to a shell script: the few commands that a port tool sends; any other is not found.

import { gzipSync } from "node:zlib";
import { contains, parseAddress, parseCidr } from "../../dataplane/cidr.ts";
import type { HostSession } from "../../dataplane/data-plane.ts";
import { NftError, type NftRuleset } from "./nft-ruleset.ts";

/** A host as its shell sees it. */
export interface ShellHost {
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
  /** TCP sessions that are established. */
  readonly sessions: () => readonly HostSession[];
  ruleset: NftRuleset;
}

/** How a script ended. */
export interface ShellResult {
  readonly exitCode: number;
  readonly output: Buffer;
}

interface Step {
  readonly command: string;
  readonly input: string;
}

const NOT_FOUND = 127;

/** The commands of a script with what is fed to them. Shebang, comments and `set` count for nothing. */
function stepsOf(script: string): readonly Step[] {
  const steps: Step[] = [];
  const lines = script.replaceAll("\r\n", "\n").split("\n");
  while (lines.length > 0) {
    const line = (lines.shift() ?? "").trim();
    if (line === "" || line.startsWith("#") || /^set [-+]\S+$/.test(line)) continue;
    const here = /^(.*?)\s*<<-?\s*(['"]?)(\w+)\2$/.exec(line);
    if (here === null) {
      for (const command of line.split(/\s+&&\s+|\s*;\s*/)) if (command !== "") steps.push({ command, input: "" });
      continue;
    }
    const end = lines.findIndex((each) => each.trim() === here[3]);
    const input = lines.splice(0, end < 0 ? lines.length : end + 1);
    steps.push({ command: here[1] ?? "", input: `${(end < 0 ? input : input.slice(0, -1)).join("\n")}\n` });
  }
  return steps;
}

const text = (exitCode: number, output: string): ShellResult => ({ exitCode, output: Buffer.from(output) });

function listSockets(flags: string, { tcpPorts, udpPorts }: ShellHost): string {
  const both = !flags.includes("t") && !flags.includes("u");
  const line = (kind: string, state: string, port: number): string =>
    `${kind}   ${state} 0      0      0.0.0.0:${String(port).padEnd(11)}0.0.0.0:*\n`;
  const head = "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n";
  return [
    ...(flags.includes("H") ? [] : [head]),
    ...(both || flags.includes("u") ? udpPorts.map((port) => line("udp", "UNCONN", port)) : []),
    ...(both || flags.includes("t") ? tcpPorts.map((port) => line("tcp", "LISTEN", port)) : []),
  ].join("");
}

/** One condition of a filter of `ss`: `dst 10.0.0.0/8`, `dst [::1/128]`, `sport >= :22`. */
function meets(condition: string, session: HostSession): boolean | undefined {
  const [what = "", ...rest] = condition.split(/\s+/);
  const value = rest.join(" ");
  if (what === "dst" || what === "src") {
    const block = parseCidr(value.replace(/^\[(.*)\]$/, "$1"));
    const address = parseAddress(what === "dst" ? session.peerAddress : session.localAddress);
    return block === undefined ? undefined : address !== undefined && contains(block, address);
  }
  const bound = /^(=|>=|<=) :(\d+)$/.exec(value);
  if (bound === null || (what !== "sport" && what !== "dport")) return undefined;
  const [port, limit] = [what === "sport" ? session.localPort : session.peerPort, Number(bound[2])];
  return bound[1] === "=" ? port === limit : bound[1] === ">=" ? port >= limit : port <= limit;
}

/** `ss -K` and `ss` on established sessions, with a filter of conditions in parentheses joined by `or`. */
function runSessions(line: string, host: ShellHost): ShellResult | undefined {
  const asked = /^(-K )?-H -n -t state established '\( (.*) \)'$/.exec(line);
  if (asked === null) return undefined;
  const wanted = (asked[2] ?? "")
    .split(/\s+or\s+/)
    .map((part) => part.replace(/^\(\s*(.*?)\s*\)$/, "$1").split(/\s+and\s+/));
  const found = host.sessions().map((session) => {
    const answers = wanted.map((conditions) => conditions.map((it) => meets(it, session)));
    return {
      session,
      bad: answers.flat().includes(undefined),
      meets: answers.some((all) => all.every((it) => it === true)),
    };
  });
  if (found.some(({ bad }) => bad)) return text(1, "Error: Cannot parse dst/src address.\n");
  const lines = found.filter((it) => it.meets).map(({ session }) => session);
  if (asked[1] !== undefined) for (const session of lines) session.end();
  const end = (address: string, port: number) => `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const shown = lines.map(
    (it) => `0      0      ${end(it.localAddress, it.localPort)} ${end(it.peerAddress, it.peerPort)}\n`,
  );
  return text(0, shown.join(""));
}

function runNft(words: readonly string[], input: Buffer, host: ShellHost): ShellResult {
  const line = words.join(" ");
  if (line === "list ruleset") return text(0, host.ruleset.print() ?? "");
  const table = /^list table (?:(ip|ip6|inet|arp|bridge|netdev) )?(\S+)$/.exec(line);
  if (table !== null) {
    const printed = host.ruleset.print(`${table[1] ?? "ip"} ${table[2]}`);
    return printed === undefined ? text(1, `Error: No such file or directory\n${line}\n`) : text(0, printed);
  }
  if (line.startsWith("list ") || (line.startsWith("-") && line !== "-f -" && line !== "-f /dev/stdin")) {
    return text(NOT_FOUND, `sh: nft ${line}: not simulated\n`);
  }
  try {
    host.ruleset = host.ruleset.apply(line.startsWith("-f") ? input.toString("utf8") : line.replace(/^'(.*)'$/, "$1"));
    return text(0, "");
  } catch (error) {
    if (error instanceof NftError) return text(1, `${error.message}\n`);
    throw error;
  }
}

function unquote(word: string): string {
  return word.replace(/^'([\s\S]*)'$/, "$1").replace(/^"([\s\S]*)"$/, "$1");
}

/** One program of a pipeline. */
function runProgram(command: string, input: Buffer, host: ShellHost): ShellResult {
  const words = command.trim().split(/\s+/);
  if (words[0] === "sudo") words.shift();
  const [name = "", ...rest] = words;
  const line = rest.join(" ");
  const sockets = /^-(?=[a-zA-Z]*l)([lntupH]+)$/.exec(line);
  if (name === "ss" && sockets !== null) return text(0, listSockets(sockets[1] ?? "", host));
  const sessions = name === "ss" ? runSessions(line, host) : undefined;
  if (sessions !== undefined) return sessions;
  if (name === "nft" && rest.length > 0) return runNft(rest, input, host);
  if (name === "gzip" && /^(-9|-c|-9c)?$/.test(line)) return { exitCode: 0, output: gzipSync(input, { level: 9 }) };
  if (name === "base64" && line === "-w0") return text(0, input.toString("base64"));
  if (name === "base64" && /^(-d|--decode)$/.test(line))
    return { exitCode: 0, output: Buffer.from(input.toString("latin1"), "base64") };
  if (name === "echo" || name === "printf") {
    const said = command.trim().replace(/^(sudo\s+)?(echo|printf)\s+(%s\s+|'%s'\s+)?/, "");
    return text(0, name === "echo" ? `${unquote(said)}\n` : unquote(said));
  }
  return text(NOT_FOUND, `sh: ${name}: command not found\n`);
}

/** Runs a script as root's shell on the host; its `ruleset` is replaced by what nft makes of it. */
export function runScript(script: string, host: ShellHost): ShellResult {
  const stopsAtFailure = /^\s*set -\w*e/m.test(script);
  const outputs: Buffer[] = [];
  let exitCode = 0;
  for (const { command, input } of stepsOf(script)) {
    let piped: Buffer = Buffer.from(input);
    for (const [at, program] of command.split(/\s+\|\s+/).entries()) {
      const result = runProgram(program, at === 0 ? Buffer.from(input) : piped, host);
      exitCode = result.exitCode;
      piped = result.output;
    }
    outputs.push(piped);
    if (exitCode !== 0 && stopsAtFailure) break;
  }
  return { exitCode, output: Buffer.concat(outputs) };
}
