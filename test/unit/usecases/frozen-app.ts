// A process that is frozen before one of its writes, while the world goes on.
import type { App } from "../../../shared/usecases/app.ts";

/** The app, but `freeze` happens right before its `n`th write, counted from 0. */
export function frozenAt(app: App, n: number, freeze: () => void | Promise<void>): App {
  let left = n;
  const slow =
    <Input extends readonly unknown[], Output>(write: (...input: Input) => Promise<Output>) =>
    async (...input: Input): Promise<Output> => {
      left -= 1;
      if (left === -1) await freeze();
      return write(...input);
    };
  const { put, putEach, update, delete: remove, writeAll } = app.tables;
  const writes = { put: slow(put), update: slow(update), delete: slow(remove), writeAll: slow(writeAll) };
  return { ...app, tables: { ...app.tables, ...writes, ...(putEach && { putEach: slow(putEach) }) } };
}
