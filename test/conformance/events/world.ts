// A whole cloud with one function that keeps the events it is given, for the tests in this folder.

import { onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import type { FunctionDefinition } from "../../../local/services/functions/function-definition.ts";
import { bundle, START_MS } from "../functions/kit.ts";

type Json = Record<string, unknown>;

/** An event as a function got it. */
export interface Received extends Json {
  readonly id: string;
  readonly type: string;
  readonly data: Json;
}

const KEEPER = `exports.handler = async (event) => { console.log(event.toString()); };`;

/** Every call of ECS by whomever. */
export const everyCall = { source: ["acs.ecs"], type: ["ecs:ActionTrail:ApiCall"] };

/** A cloud on virtual time whose instances have no listeners. */
export async function aCloud(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.120.0.0/16", engine: "userspace", startMs: START_MS, ...options });
  onTestFinished(() => cloud.stop());
  return cloud;
}

/** Deploys a function with an event trigger. */
export function deployAudit(cloud: Cloud, trigger: Json = {}, source = KEEPER, more: Partial<FunctionDefinition> = {}) {
  const triggers = [{ type: "eventbridge" as const, pattern: everyCall, ...trigger }];
  cloud.deploy([{ name: "audit", bundle: bundle(source), triggers, ...more }]);
}

/** What the function has been given so far. */
export function received(cloud: Cloud): Received[] {
  const lines = cloud.functions.registry.logs().lines();
  return lines.flatMap(({ text }) => (text.startsWith("{") ? [JSON.parse(text) as Received] : []));
}

/** Names of the calls that the function was told of. */
export const eventNames = (cloud: Cloud): unknown[] => received(cloud).map((event) => event.data["eventName"]);

/** How the deliveries of every event so far stand. */
export const deliveries = (cloud: Cloud) => cloud.events.since(0).events.flatMap((record) => record.deliveries);
