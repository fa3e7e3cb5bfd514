// A claim on the name of an nftables table: two clouds on one host cannot take the same table, and a claim dies with its process.

import { createServer } from "node:net";

/** A claim that is held. */
export interface TableClaim {
  release(): Promise<void>;
}

/** Claims the name, or throws when a living process holds it. Abstract sockets live in the network namespace, as tables do. */
export function claimTable(tableName: string): Promise<TableClaim> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `Another cloud on this host uses the nftables table ${tableName}: give this one another range and table.`,
            )
          : error,
      );
    });
    server.listen(`\0safeport nftables ${tableName}`, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
