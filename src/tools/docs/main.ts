import { readFile, writeFile } from "node:fs/promises";
import { OPENAPI_FILE, openapiText } from "../openapi/document.ts";
import { configurationReference } from "./configuration.ts";
import { EVENTS_PAGE, withEvents } from "./events.ts";

/**
 * `npm run docs`: writes `docs/configuration.md`, the table of events in `docs/architecture.md` and the OpenAPI document.
 */
await writeFile("docs/configuration.md", configurationReference());
await writeFile(EVENTS_PAGE, withEvents(await readFile(EVENTS_PAGE, "utf8")));
await writeFile(OPENAPI_FILE, openapiText());
console.log(`docs/configuration.md, the table of events in ${EVENTS_PAGE} and ${OPENAPI_FILE} are written.`);
