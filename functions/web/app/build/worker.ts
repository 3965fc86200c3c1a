import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

/** Tells the service worker the names of the files that it keeps. */
export function worker(): Plugin {
  let root = "";
  return {
    name: "worker",
    apply: "build",
    configResolved(config) {
      root = config.root;
    },
    generateBundle(_, bundle) {
      const built = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
      const icons = readdirSync(resolve(root, "public/icons")).map((name) => "icons/" + name);
      const files = [...built, ...icons, "manifest.webmanifest"].sort().map((name) => "/" + name);
      const version = createHash("sha256").update(files.join()).digest("hex").slice(0, 16);
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && chunk.fileName === "sw.js") {
          chunk.code = chunk.code.replace("__FILES__", JSON.stringify(files)).replace("__VERSION__", JSON.stringify("schedgen-" + version));
        }
      }
    },
  };
}
