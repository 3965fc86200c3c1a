import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Files whose bytes are compressed already are left as they are. */
const worthwhile = /\.(?:html|js|css|svg|json|webmanifest|txt)$/;

/**
 * Writes FILE.br and FILE.gz beside each file of the build, at the best level there is: it is done once here instead of
 * at each request.
 */
export function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (worthwhile.test(name)) compress(join(folder, name));
      }
    },
  };
}

function compress(path: string) {
  const content = readFileSync(path);
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  const gzip = gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
  if (brotli.length < content.length) writeFileSync(path + ".br", brotli);
  if (gzip.length < content.length) writeFileSync(path + ".gz", gzip);
}
