// The channel between the platform and an instance's process: what is sent arrives, however a stream divides it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frameOf, frameReader } from "../../../../local/services/functions/instance-channel.ts";

const aMessage = fc.record({
  fields: fc.record({ kind: fc.string(), offsetMs: fc.integer(), words: fc.array(fc.string({ unit: "grapheme" })) }),
  bytes: fc.uint8Array({ maxLength: 300 }),
});

describe("the channel of an instance", () => {
  it("hands on every message whole and in order, wherever the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(aMessage), fc.array(fc.nat({ max: 40 })), (messages, sizes) => {
        const stream = Buffer.concat(messages.map(({ fields, bytes }) => frameOf(fields, bytes)));
        const read: unknown[] = [];
        const take = frameReader((fields, bytes) => read.push({ fields, bytes: new Uint8Array(bytes) }));
        let at = 0;
        for (const size of sizes) {
          take(stream.subarray(at, at + size));
          at += size;
        }
        take(stream.subarray(at));
        expect(read).toEqual(messages);
      }),
    );
  });

  it("hands on nothing before the last byte is there", () => {
    const frame = frameOf({ kind: "result" }, Buffer.from("body"));
    const read: unknown[] = [];
    const take = frameReader((fields, bytes) => read.push([fields, bytes.toString()]));
    take(frame.subarray(0, -1));
    expect(read).toEqual([]);
    take(frame.subarray(-1));
    expect(read).toEqual([[{ kind: "result" }, "body"]]);
  });
});
