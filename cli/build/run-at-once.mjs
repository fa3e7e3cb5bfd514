// Bundles an SDK, whose modules all run when its file is loaded, so that V8 compiles each of them as it reads the file.
//
// What V8 takes for a function that may be called later it reads twice: once to find where it ends, and again when it is called. It takes a
// function in parentheses for one that is called at once. esbuild makes a function of each CommonJS module, and puts none around it.
import * as esbuild from "esbuild";

/** A module as esbuild writes it, where it leaves lines as they are: what it is made with, its parameters, and its text. */
const MODULE = /^(var [\w$]+ = [\w$]+\()(?:\(([\w$, ]*)\)|([\w$]+)) => \{\n([\s\S]*?)^\}\);$/gm;

/** As esbuild's `build` with `options`, which name one file: minified, with its map beside it. */
export async function bundleRunAtOnce(options) {
  const readable = { minify: false, minifySyntax: true, minifyIdentifiers: true, sourcemap: "inline" };
  const { metafile, outputFiles } = await esbuild.build({ ...options, ...readable });
  const [{ path, text }] = outputFiles;
  // An arrow function is no such function, with parentheses or without.
  const marked = text.replace(
    MODULE,
    (_, call, several, one, body) => `${call}(function(${several ?? one}) {\n${body}}));`,
  );
  if (marked === text) throw new Error("esbuild writes modules in another way");
  const { target, legalComments } = options;
  const output = { target, legalComments, minifyWhitespace: true, sourcemap: "external", sourcesContent: false };
  const { code, map } = await esbuild.transform(marked, output);
  const fileOf = (name, contents) => ({ path: name, contents: Buffer.from(contents) });
  return { metafile, outputFiles: [fileOf(`${path}.map`, map), fileOf(path, code)] };
}
