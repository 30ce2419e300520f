// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
// @ts-expect-error a script without types
import { CHECK, DOCUMENT, SCHEMA, checkText, schemaText } from "../scripts/schema.mjs";
import { enActions } from "../src/i18n/en-actions";

const MEND = "crates/api/openapi.json has changed: run `npm run generate`, then `npm run check`";

it("the generated schema is that of the server's OpenAPI document", async () => {
  expect(readFileSync(SCHEMA, "utf8") === (await schemaText()), MEND).toBe(true);
  expect(readFileSync(CHECK, "utf8") === checkText(), MEND).toBe(true);
});

it("what the API records of changes has a name in both languages", () => {
  const document = JSON.parse(readFileSync(DOCUMENT, "utf8")) as { paths: Record<string, Record<string, { operationId: string }>> };
  const changes = Object.values(document.paths).flatMap((methods) => Object.entries(methods).filter(([method]) => method !== "get").map(([, { operationId }]) => operationId));
  // Readings and alerts of machines, and what only tries rules.
  const unrecorded = ["leave_for_provider", "push_message", "push_alert_event", "check_rules", "test_rules", "backtest_rules"];
  const unnamed = changes.filter((action) => !unrecorded.includes(action) && !(`action.${action}` in enActions));
  expect(unnamed, "add them to src/i18n/en-actions.ts and zh-actions.ts").toEqual([]);
});
