// What a bench says: figures on standard output, progress on standard error.

const LABEL_WIDTH = 34;
const PROGRESS_EVERY_MS = 5_000;
let saidAt = 0;

/** Begins the table of one bench. */
export function title(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** One line of a table. */
export function row(label: string, value: string): void {
  process.stdout.write(`  ${label.padEnd(LABEL_WIDTH)} ${value}\n`);
}

/** The line of a promise; answers whether it was kept. */
export function verdict(promise: string, isKept: boolean): boolean {
  row("promise", `${promise}: ${isKept ? "ok" : "MISSED"}`);
  return isKept;
}

/** Says how far a bench is: on a terminal in place, elsewhere one line every five seconds. An empty text ends the line. */
export function progress(text: string): void {
  const { stderr } = process;
  if (stderr.isTTY) {
    stderr.write(`\r\x1b[K${text}`);
    return;
  }
  const now = Date.now();
  if (text === "" || now - saidAt < PROGRESS_EVERY_MS) return;
  saidAt = now;
  stderr.write(`${text}\n`);
}
