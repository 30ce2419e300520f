/** Writes all dashboards. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { files } from ".";

/** Compiled files are in `.build/src`. */
export const ROOT = join(__dirname, "../..");

if (require.main === module) {
  rmSync(join(ROOT, "dashboards"), { recursive: true, force: true });
  for (const { path, text } of files()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
}
