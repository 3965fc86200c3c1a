import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compress";
import { worker } from "./build/worker";

// The page is built into ../dist/page, which the Go program embeds. Names of assets carry a hash of their content, so
// that browsers may keep them for ever.
export default defineConfig({
  plugins: [worker(), compressed()],
  build: {
    outDir: resolve(__dirname, "../dist/page"),
    emptyOutDir: true,
    target: "es2019",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy of the page allows no data: addresses
    reportCompressedSize: false,
    rollupOptions: {
      input: { page: resolve(__dirname, "index.html"), sw: resolve(__dirname, "worker/sw.ts") },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], testTimeout: 120_000 },
});
