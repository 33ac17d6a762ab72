/**
 * `npm run bench -- glue`: what docs/compared.md says in figures, written into it: this package beside what people put together from
 * @upstash/ratelimit, hono-rate-limiter, hono-sessions and hono/cache. `npm run bench -- glue counts timed outages`: some of it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { countAll } from "./glue/counts.ts";
import { measureOutages } from "./glue/outages.ts";
import { openProject } from "./glue/project.ts";
import { openStore } from "./glue/running-app.ts";
import { appTable, limitsTable, outagesTable, PAGE, timedTable, withTable } from "./glue/tables.ts";
import { timeAll } from "./glue/timed.ts";

const PARTS = ["counts", "timed", "outages"];
const asked = process.argv.slice(3);
const parts = asked.length > 0 ? asked : PARTS;
const unknown = parts.filter((part) => !PARTS.includes(part));
if (unknown.length > 0)
  throw new Error(`There is no ${unknown.join(", ")}: name some of ${PARTS.join(", ")}.`);

const project = await openProject();
const store = await openStore();
try {
  const tables: Record<string, string> = {};
  if (parts.includes("counts")) {
    const counted = await countAll(project, store);
    Object.assign(tables, { limits: limitsTable(counted), app: appTable(counted) });
  }
  if (parts.includes("timed")) tables.timed = timedTable(await timeAll(project, store));
  if (parts.includes("outages")) tables.outages = outagesTable(await measureOutages(project, store));
  let page = await readFile(PAGE, "utf8");
  for (const [name, table] of Object.entries(tables)) page = withTable(page, name, table);
  await writeFile(PAGE, page);
  console.log(Object.values(tables).join("\n\n"));
} finally {
  await store.stop();
  await project.remove();
}
