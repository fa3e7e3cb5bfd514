// The simulation as one file, which starts at once and runs a quarter faster than its sources; with a piece of the program replaced, where
// a bug is to be planted.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";

/** Bundles `entry`, has `work` use the file, and removes it. */
export async function withBundle<T>(
  entry: string,
  work: (file: string) => Promise<T>,
  plugins: esbuild.Plugin[] = [],
): Promise<T> {
  // Beside the modules it leaves outside.
  const folder = mkdtempSync(join("node_modules", ".simulation-"));
  const outfile = join(folder, "bundle.cjs");
  try {
    await esbuild.build({
      ...{ entryPoints: [join("test", "simulation", entry)], outfile, bundle: true, platform: "node", format: "cjs" },
      ...{ target: "node20", packages: "external", logLevel: "error", plugins },
    });
    return await work(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
