// The envelope in which the default event bus carries what services tell.

import type { Random } from "../../../shared/ports/random.ts";
import { hexText } from "../../random.ts";
import type { BusSwitches } from "./switches.ts";

/** An event as a function receives it. */
export interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly specversion: string;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
  readonly [attribute: string]: unknown;
}

/** What a service tells. */
export interface Told {
  /** `acs.ecs`. */
  readonly source: string;
  /** `ecs:ActionTrail:ApiCall`. */
  readonly type: string;
  readonly subject: string;
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
  readonly data: unknown;
}

/** Who owns the bus. */
export interface BusOwner {
  readonly accountId: string;
  readonly regionId: string;
}

const PUBLISH_ADDRESS = "127.0.0.1";
const CHINA_MS = 8 * 3_600_000;

/** 8-4-4-4-12 hexadecimal digits. */
export function newEventId(random: Random): string {
  return hexText(random, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** UTC in whole seconds. */
export function utcSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The same in the given zone. */
function zonedSeconds(ms: number, zone: BusSwitches["eventTimeZone"]): string {
  return zone === "Z" ? utcSeconds(ms) : utcSeconds(ms + CHINA_MS).replace("Z", zone);
}

/** The event with its envelope; `nowMs` is when it reaches the bus. */
export function cloudEventOf(
  told: Told,
  bus: { readonly owner: BusOwner; readonly random: Random; readonly switches: Pick<BusSwitches, "eventTimeZone"> },
  nowMs: number,
): CloudEvent {
  const { owner, random, switches } = bus;
  return {
    id: newEventId(random),
    source: told.source,
    specversion: "1.0",
    type: told.type,
    subject: told.subject,
    time: zonedSeconds(told.at, switches.eventTimeZone),
    datacontenttype: "application/json;charset=utf-8",
    aliyunaccountid: owner.accountId,
    aliyunoriginalaccountid: owner.accountId,
    aliyunpublishtime: new Date(nowMs).toISOString(),
    aliyuneventbusname: "default",
    aliyunregionid: owner.regionId,
    aliyunpublishaddr: PUBLISH_ADDRESS,
    data: told.data,
  };
}
