// A block of loopback addresses that no other test of this machine has at the same time.
import { createServer } from "node:net";

const FIRST = 130;
const LAST = 199;
const CLAIM_PORT = 47_111;

/** First two numbers of a block, such as `127.131`. It is held, by a listener inside it, until `release` or the process ends. */
export async function claimNetwork(): Promise<{ readonly network: string; readonly release: () => void }> {
  for (let second = FIRST; second <= LAST; second++) {
    const server = createServer();
    const claimed = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(CLAIM_PORT, `127.${second}.255.254`, () => resolve(true));
    });
    if (claimed) return { network: `127.${second}`, release: () => void server.unref().close() };
  }
  throw new Error(`all blocks from 127.${FIRST} to 127.${LAST} are taken`);
}
