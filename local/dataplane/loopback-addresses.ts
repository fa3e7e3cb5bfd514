// IPv6 addresses of instances on the loopback interface: there while they are wanted, and gone with the cloud or at its next start.

import { execFile } from "node:child_process";
import { type Cidr, contains, parseAddress, printCidr } from "./cidr.ts";

/** The IPv6 block that belongs to an IPv4 one: `fd00:7f0a::/32` to 127.10.0.0/16, and never the same to two. */
export function range6Of(range: Cidr): Cidr {
  return { family: 6, base: (0xfd00n << 112n) | (range.base << 80n), prefix: 16 + range.prefix };
}

function ip(...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("ip", ["-6", ...words], (error, printed, complaint) => {
      if (error === null) resolve(printed);
      else reject(new Error(complaint.trim() || error.message));
    });
  });
}

const TRIES_MAX = 100;

const route = (verb: string, address: string, ...rest: readonly string[]): Promise<string> =>
  ip("route", verb, "local", address, "dev", "lo", "table", "local", ...rest);

/** The addresses of one cloud. Nothing outside its block is looked at or touched. */
export class LoopbackAddresses {
  readonly #range: Cidr;
  readonly #standing = new Set<string>();
  readonly #problems = new Map<string, string>();

  constructor(range: Cidr) {
    this.#range = range;
  }

  /** Takes away what a cloud left that was killed. Where that cannot be, `keep` will say why. */
  async clear(): Promise<void> {
    const printed = await ip("-o", "addr", "show", "dev", "lo").catch(() => "");
    for (const [, text = ""] of printed.matchAll(/inet6 ([0-9a-f:]+)\/128/g)) {
      const address = parseAddress(text);
      if (address !== undefined && contains(this.#range, address)) await this.#remove(printCidr(address));
    }
  }

  /** Has these addresses and no others; those outside the block are left out. */
  async keep(wanted: readonly Cidr[]): Promise<void> {
    const texts = new Set(wanted.filter((address) => contains(this.#range, address)).map(printCidr));
    for (const text of this.#problems.keys()) if (!texts.has(text)) this.#problems.delete(text);
    for (const text of this.#standing) if (!texts.has(text)) await this.#remove(text);
    for (const text of texts) if (!this.#standing.has(text)) await this.#add(text);
  }

  /** Addresses that could not be had, in words. */
  problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  async #add(address: string): Promise<void> {
    try {
      await ip("addr", "add", `${address}/128`, "dev", "lo");
      this.#standing.add(address);
      this.#problems.delete(address);
      // The kernel's own route has who connects to an address come from that address; a stranger must not look like the instance.
      await route("add", address, "src", "::1");
      await this.#dropKernelRoute(address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await this.#remove(address);
      this.#problems.set(address, `${address} is decided and not carried: ${reason}`);
    }
  }

  /** The kernel makes its route once more when it has settled the address, which it does in its own time. */
  async #dropKernelRoute(address: string): Promise<void> {
    for (let tries = 0, gone = 0; gone < 2; tries++) {
      if (tries === TRIES_MAX) throw new Error("the route of the kernel stays");
      await route("del", address, "proto", "kernel").catch(() => undefined);
      const [addresses, found] = [
        await ip("addr", "show", "dev", "lo", "to", address),
        await ip("route", "get", address),
      ];
      gone = !addresses.includes("tentative") && / src ::1 /.test(found) ? gone + 1 : 0;
    }
  }

  async #remove(address: string): Promise<void> {
    this.#standing.delete(address);
    // Each may be gone already, and the kernel's route goes with the address.
    await ip("addr", "del", `${address}/128`, "dev", "lo").catch(() => undefined);
    await route("del", address, "src", "::1").catch(() => undefined);
  }
}
