// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
// @ts-expect-error a script without types
import { CHECK, SCHEMA, checkText, schemaText } from "../scripts/schema.mjs";

const MEND = "crates/api/openapi.json has changed: run `npm run generate`, then `npm run check`";

it("the generated schema is that of the server's OpenAPI document", async () => {
  expect(readFileSync(SCHEMA, "utf8") === (await schemaText()), MEND).toBe(true);
  expect(readFileSync(CHECK, "utf8") === checkText(), MEND).toBe(true);
});
