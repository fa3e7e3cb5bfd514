// Types of split.mjs, for its test.
import type { BuildOptions } from "esbuild";

export function splitBundle(
  source: string,
  options: BuildOptions,
  prelude: string,
): Promise<{
  readonly files: readonly {
    readonly name: string;
    readonly result: { readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[] };
  }[];
}>;
