// How the page is built: one script, one style sheet, nothing inline (the Content-Security-Policy forbids it), the same bytes from
// the same sources.
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    sourcemap: false,
  },
  esbuild: { legalComments: "none" },
  test: { setupFiles: ["test/node.ts"] },
});
