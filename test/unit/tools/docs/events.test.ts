import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { eventTable } from "../../../../src/events/table.ts";
import { EVENTS_PAGE, eventsMarkdown, withEvents } from "../../../../src/tools/docs/events.ts";

test("docs/architecture.md has the table that `npm run docs` writes", async () => {
  const page = await readFile(EVENTS_PAGE, "utf8");
  expect(page).toBe(withEvents(page));
  expect(page).toContain(eventsMarkdown());
  expect(() => withEvents("# A page without a place for it")).toThrow(EVENTS_PAGE);
});

test("every event is one row, with its level, fields and sentence", () => {
  const lines = eventsMarkdown().trimEnd().split("\n");
  expect(lines.slice(0, 2)).toEqual(["| event | level | fields | when |", "|---|---|---|---|"]);
  expect(lines.slice(2).map((line) => line.split("`")[1])).toEqual(Object.keys(eventTable));
  for (const line of lines) expect(line.split(/(?<!\\)\|/), line).toHaveLength(6);
});

test("a row says which words a field may hold, what may be missing, and when the level rises", () => {
  const rows = eventsMarkdown().split("\n");
  const row = (name: string) => rows.find((line) => line.startsWith(`| \`${name}\` `));
  expect(row("cache.corrupt")).toBe(
    "| `cache.corrupt` | warn | `request_id` request id, `route` name | A cached response in the store cannot be read and counts as a miss; said once per isolate. |",
  );
  expect(row("request")).toContain("| info; warn from status 500 |");
  expect(row("session.refused")).toContain("`reason` (invalid · revoked · idle · unknown)");
  expect(row("origin.failed")).toContain("`status` status?");
  expect(row("store.found")).toContain("| info | none |");
});
