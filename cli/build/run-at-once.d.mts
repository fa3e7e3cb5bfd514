// Types of run-at-once.mjs, for its test.
import type { BuildOptions, BuildResult } from "esbuild";

export function bundleRunAtOnce(options: BuildOptions): Promise<{
  readonly metafile: BuildResult["metafile"];
  readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[];
}>;
