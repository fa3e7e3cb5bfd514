// How the platform and an instance's process speak: a message's fields as JSON, then its bytes as they are, and before them both lengths.
// For a channel of Node's own every instance would load nine of its modules that no function needs.

/** The stream of an instance's process that it is, beside standard input, output and error. */
export const CHANNEL_FD = 3;

const LENGTHS_BYTES = 8;

/** One message as it is sent. */
export function frameOf(fields: object, bytes: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(fields));
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([lengths, text, bytes]);
}

/** Answers what takes the stream as it arrives, however it is divided, and hands each message on once it is whole. */
export function frameReader<Fields>(onMessage: (fields: Fields, bytes: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let size = 0;
  let needed = LENGTHS_BYTES;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    while (size >= needed) {
      const all = Buffer.concat(chunks);
      chunks = [all];
      const textEnd = LENGTHS_BYTES + all.readUInt32LE(0);
      needed = textEnd + all.readUInt32LE(4);
      if (size < needed) return;
      chunks = [all.subarray(needed)];
      size -= needed;
      const fields = JSON.parse(all.toString("utf8", LENGTHS_BYTES, textEnd)) as Fields;
      const bytes = all.subarray(textEnd, needed);
      needed = LENGTHS_BYTES;
      onMessage(fields, bytes);
    }
  };
}
