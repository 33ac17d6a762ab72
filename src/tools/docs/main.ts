import { readFile, writeFile } from "node:fs/promises";
import { configurationReference } from "./configuration.ts";
import { EVENTS_PAGE, withEvents } from "./events.ts";

/** `npm run docs`: writes `docs/configuration.md`, and the table of events in `docs/architecture.md`. */
await writeFile("docs/configuration.md", configurationReference());
await writeFile(EVENTS_PAGE, withEvents(await readFile(EVENTS_PAGE, "utf8")));
console.log(`docs/configuration.md and the table of events in ${EVENTS_PAGE} are written.`);
