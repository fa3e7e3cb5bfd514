// The limit on how long a call over the network may take.

/**
 * Settles as `promise` does, or calls `late` after `ms` and rejects with what it returns. A transport limit counts machine
 * time, whatever the program's clock says: a silent socket is silent in machine time.
 */
export function withDeadline<Value>(ms: number, promise: Promise<Value>, late: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
