// Writes src/api/schema.d.ts from the server's OpenAPI document, and src/api/schema.check.ts,
// which makes `npm run check` fail where a hand-written type of src/api/types.ts reads something
// that the server does not promise.
import { existsSync, writeFileSync } from "node:fs";
import { CHECK, DOCUMENT, SCHEMA, checkText, schemaText } from "./schema.mjs";

if (existsSync(DOCUMENT)) {
  writeFileSync(SCHEMA, await schemaText());
  writeFileSync(CHECK, checkText());
} else {
  console.error("crates/api/openapi.json does not exist: nothing generated");
}
