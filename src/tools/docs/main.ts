import { mkdir, writeFile } from "node:fs/promises";
import { configurationReference } from "./configuration.ts";

/** `npm run docs:configuration`: writes `docs/configuration.md`. */
await mkdir("docs", { recursive: true });
await writeFile("docs/configuration.md", configurationReference());
console.log("docs/configuration.md is written.");
