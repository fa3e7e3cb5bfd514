// Types of build.mjs, for the tests and the bench.

/** Size of one built file. */
export interface BuiltFile {
  readonly file: string;
  readonly bytes: number;
  readonly gzipped: number;
}
export function bundleFunction(source: string, outfile: string): Promise<number>;
export function build(outDir?: string): Promise<{
  readonly sizes: readonly BuiltFile[];
  readonly metafiles: Readonly<Record<string, unknown>>;
}>;
