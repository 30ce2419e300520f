import { defineConfig } from "vite";

// The crate that serves the dashboard embeds this folder; it is committed, so the build must be
// byte-identical from run to run (no time stamps, no source maps, content-hashed names).
const OUTPUT = "../../crates/api/web";

const SERVER = process.env.CITYBRAIN_URL ?? "http://127.0.0.1:8787";

export default defineConfig({
  base: "/",
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    sourcemap: false,
    target: "es2022",
    // A strict content security policy allows no inlined assets in scripts, and keeps fonts out.
    assetsInlineLimit: 0,
    // The map library alone is larger than the default warning.
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
    license: { fileName: "third-party-licenses.md" },
  },
  worker: { format: "es" },
  // `vite` and `vite preview` show the app with the API of the mock, or of the program named here.
  server: { proxy: Object.fromEntries(["/api", "/open", "/metrics"].map((path) => [path, SERVER])) },
});
