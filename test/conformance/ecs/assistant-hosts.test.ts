// The simulated hosts of Cloud Assistant: what their shell knows, and the ruleset that each keeps.
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { aHost, printed, ruleset } from "./assistant-world.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aDirectory } from "./world.ts";

itEmbedded("ss lists the sockets that the instance listens on", async () => {
  const { outcome } = await aHost();
  const { output } = await outcome("ss -lntu");
  const sockets = (output ?? "").trim().split("\n").slice(1);
  expect(sockets.map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[4]])).toEqual([
    ["udp", "0.0.0.0:53"],
    ["tcp", "0.0.0.0:22"],
    ["tcp", "0.0.0.0:80"],
  ]);
  expect((await outcome("ss -Hlnt")).output?.trim().split("\n")).toHaveLength(2);
});

itEmbedded("nft loads a ruleset from its input, and lists it until it is deleted", async () => {
  const { outcome } = await aHost();
  expect(await outcome("nft list ruleset")).toEqual({ exitCode: 0, output: "", status: "Success" });
  expect(await outcome(`#!/bin/sh\nset -e\nnft -f - <<'END'\n${ruleset}\nEND\n`)).toMatchObject({ exitCode: 0 });
  expect(await outcome("nft list ruleset")).toMatchObject({ output: printed });
  const base64 = Buffer.from("add rule inet guard input tcp dport 23 drop\n").toString("base64");
  expect(await outcome(`echo ${base64} | base64 -d | nft -f -`)).toMatchObject({ exitCode: 0 });
  expect((await outcome("nft list table inet guard")).output).toContain("\t\ttcp dport 23 drop\n");
  const { output } = await outcome("nft list ruleset | gzip -9 | base64 -w0");
  expect(gunzipSync(Buffer.from(output ?? "", "base64")).toString()).toContain("tcp dport 23 drop");
  expect(await outcome("nft delete table inet guard && nft list ruleset")).toMatchObject({ exitCode: 0, output: "" });
});

itEmbedded("nft takes a script whole or not at all", async () => {
  const { outcome } = await aHost();
  const script = `nft -f - <<END\n${ruleset}\nadd rule inet missing input drop\nEND`;
  expect(await outcome(script)).toEqual({
    exitCode: 1,
    output: "Error: Could not process rule: No such file or directory\n",
    status: "Failed",
  });
  expect(await outcome("nft list ruleset")).toMatchObject({ output: "" });
  expect(await outcome("nft -f - <<END\ntable inet x {\nEND")).toMatchObject({ exitCode: 1 });
});

itEmbedded("each host has a ruleset of its own, which outlives the cloud", async () => {
  const directory = await aDirectory();
  const first = await aHost(directory);
  await first.outcome(`nft -f - <<END\n${ruleset}\nEND`);
  expect(await first.outcome("nft list ruleset", { instanceId: ["i-web-2"] })).toMatchObject({ output: "" });
  await first.ecs.stop();
  const second = await aHost(directory);
  expect(await second.outcome("nft list ruleset")).toMatchObject({ output: printed });
  await second.ecs.reset();
  expect(await second.outcome("nft list ruleset")).toMatchObject({ output: "" });
});

itEmbedded("what the host does not know exits with 127, and set -e stops there", async () => {
  const { outcome } = await aHost();
  expect(await outcome("reboot now")).toEqual({
    exitCode: 127,
    output: "sh: reboot: command not found\n",
    status: "Failed",
  });
  expect((await outcome("set -e\nreboot\nss -lnt")).output).not.toContain("LISTEN");
  expect((await outcome("reboot\nss -lnt")).exitCode).toBe(0);
});
