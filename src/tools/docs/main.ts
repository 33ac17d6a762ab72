import { readFile, writeFile } from "node:fs/promises";
import { onlyOptions } from "../only-options.ts";
import { OPENAPI_FILE, openapiText } from "../openapi/document.ts";
import { configurationReference } from "./configuration.ts";
import { EVENTS_PAGE, withEvents } from "./events.ts";

const FILES = `docs/configuration.md, the table of events in ${EVENTS_PAGE} and ${OPENAPI_FILE}`;

/** `npm run docs`: writes what the docs have from the code. */
onlyOptions(`Usage: npm run docs\n\nWrites ${FILES}.`, {});
await writeFile("docs/configuration.md", configurationReference());
await writeFile(EVENTS_PAGE, withEvents(await readFile(EVENTS_PAGE, "utf8")));
await writeFile(OPENAPI_FILE, openapiText());
console.log(`${FILES} are written.`);
