// A process that dies between two writes.
import type { App } from "../../../shared/usecases/app.ts";

/** The app, but its `n`th write (counted from 0) and all later ones never happen. */
export function dyingAt(app: App, n: number): App {
  let left = n;
  const mortal =
    <Input extends readonly unknown[], Output>(write: (...input: Input) => Promise<Output>) =>
    (...input: Input): Promise<Output> => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error("died")) : write(...input);
    };
  const { put, update, delete: remove, writeAll } = app.tables;
  const writes = { put: mortal(put), update: mortal(update), delete: mortal(remove), writeAll: mortal(writeAll) };
  return { ...app, tables: { ...app.tables, ...writes } };
}
