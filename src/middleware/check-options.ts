import { ConfigError } from "../config/config-error.ts";
import type { EdgeOptions } from "./options.ts";

const OPTIONS =
  "limits tiers key tier skip cost onLimited onStoreFailure session cache invalidates sinks".split(" ");

/** @throws ConfigError for an option that there is none of, such as one that another library has: it would do nothing. */
export function checkOptions(options: EdgeOptions): void {
  for (const name of Object.keys(options)) {
    if (OPTIONS.includes(name)) continue;
    const issue = { place: `edge: ${name}`, found: "an option that there is none of", fix: "Remove it." };
    throw new ConfigError([issue]);
  }
}
