import type { ConfiguredKey } from "./config.ts";
import { type ConfigIssue, described, shown } from "./config-error.ts";
import { pasted, reportCharacters } from "./read-secrets.ts";

const MIN_KEY_LENGTH = 16;

/** Reads `API_KEYS`: `key:name:tier`, separated by commas. No issue shows a key. */
export function readApiKeys(text: string | null, issues: ConfigIssue[]): ConfiguredKey[] {
  if (text === null) return [];
  const keys: ConfiguredKey[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const report = (found: string, fix: string) =>
      issues.push({ place: `API_KEYS (entry ${index + 1})`, found, fix });
    const trimmed = pasted(entry);
    const parts = trimmed.split(":").map(pasted);
    const [key, name, tier = ""] = parts;
    if (trimmed === "") report("nothing", "Remove the comma that has nothing beside it.");
    else if (parts.length > 3 || !key || !name) {
      report(described(trimmed), "Write key:name:tier, entries separated by commas.");
    } else if (reportCharacters(key, "token", report)) continue;
    else if (key.length < MIN_KEY_LENGTH) {
      report(
        `a key of ${key.length} characters`,
        `Use at least ${MIN_KEY_LENGTH}: a shorter one can be guessed.`,
      );
    } else if (/\p{Cc}/u.test(name + tier)) {
      report("a name or tier with a control character in it", "Remove it.");
    } else if (keys.some((known) => known.name === name || known.key === key)) {
      report(`a second ${shown(name)}`, "Give each key a name and a text of its own.");
    } else keys.push({ key, name, tier });
  }
  return keys;
}
