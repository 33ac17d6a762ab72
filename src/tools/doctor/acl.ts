import { storeCommands } from "../../store/commands.ts";
import type { KeyPrefixes } from "../../store/keys.ts";

export interface AclOptions {
  prefixes: KeyPrefixes;
  /** Commands that handlers use beside the Worker's, in any case. */
  commands?: readonly string[];
  /** Patterns of the keys that handlers use (`orders:*`), as Redis writes them. */
  keys?: readonly string[];
}

/** A command, or a pattern of keys, that no rule can be made of. The message says why. */
export class AclError extends Error {
  override readonly name = "AclError";
  readonly code = "acl";
}

/**
 * The rules of a Redis user that may do what the Worker does, and nothing else: keys below the three prefixes, and the
 * commands of `src/store/commands.ts`.
 *
 * Upstash takes no rule for a subcommand (`+client|list`), and none here needs one.
 *
 * @throws AclError for what is no command's name, or no pattern.
 */
export function aclRules({ prefixes, commands = [], keys = [] }: AclOptions): string[] {
  const names = new Set<string>([...storeCommands, ...commands.map(commandOf)]);
  const patterns = new Set([
    ...[prefixes.cache, prefixes.rateLimit, prefixes.session].map((prefix) => `${literal(prefix)}:*`),
    ...keys.map(patternOf),
  ]);
  return [...[...patterns].map((pattern) => `~${pattern}`), ...[...names].sort().map((name) => `+${name}`)];
}

/** What to type at Upstash to make a token that may do no more than the rules. */
export function aclLines(rules: readonly string[], user = "edge"): string[] {
  return [`ACL GENTOKEN ${user}`, `ACL SETUSER ${user} reset on >THE_TOKEN ${rules.map(quoted).join(" ")}`];
}

function commandOf(name: string): string {
  const command = name.trim().toLowerCase();
  if (/^[a-z][a-z0-9_.-]{0,40}$/.test(command)) return command;
  const why = /^[+-]?@/.test(command)
    ? "names a category; name the commands themselves"
    : command.includes("|")
      ? "names a subcommand, for which Upstash takes no rule"
      : "is no name of a command";
  throw new AclError(`--commands: ${JSON.stringify(name)} ${why}.`);
}

function patternOf(text: string): string {
  const pattern = text.trim().replace(/^~/, "");
  if (/^[!-~]+$/.test(pattern)) return pattern;
  throw new AclError(`--keys: ${JSON.stringify(text)} is no pattern of keys: visible ASCII without blanks.`);
}

/** A prefix as a pattern that matches it alone (Redis's glob: `*`, `?`, `[…]` and `\`). */
function literal(prefix: string): string {
  return prefix.replace(/[\\*?[\]]/g, "\\$&");
}

/** As redis-cli and Upstash's console read an argument. */
function quoted(rule: string): string {
  return /["'\\]/.test(rule) ? JSON.stringify(rule) : rule;
}
