// The turn of the event loop: how much is asked for at once is known when it ends.

/** Runs `work` once everything that is ready to run by now has run. */
export function afterThisTurn(work: () => void): void {
  setImmediate(work);
}
