import type { Variable } from "../../config/variable.ts";
import { variables } from "../../config/variables-table.ts";
import { nearest } from "./nearest.ts";

/** Every name that the Worker reads, former names included, with the variable that it stands for today. */
const known = new Map(
  Object.entries<Variable>(variables).flatMap(([name, { formerly }]) => [
    [name, name] as const,
    ...(formerly ? [[formerly, name] as const] : []),
  ]),
);

/** Names that the Worker reads and the table does not have: `config/load.ts` says what to set instead. */
const REFUSED = ["REDIS_URL"];

/** What people put before or after a name to say whose it is, or where. */
const AFFIX =
  /^(ENVOYOU|SUPABASE|EDGE|WORKER|CF|CLOUDFLARE|APP|MY|NEXT_PUBLIC|VITE|FASTAPI|PYTHON|PROD|PRODUCTION|STAGING|DEV|TEST)_|_(PROD|PRODUCTION|STAGING|DEV|TEST|LOCAL)$/g;

/** In capitals, with an underscore between the words: `originUrl`, `origin-url` and `Origin Url` are `ORIGIN_URL`. */
function inCapitals(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
}

const letters = (name: string) => name.replaceAll("_", "");
const sorted = (name: string) => name.split("_").sort().join("_");

/** Names that have all words of this one, in their order, and more: `UPSTASH_URL` for `UPSTASH_REDIS_REST_URL`. */
function withMoreWords(name: string): string[] {
  const words = name.split("_");
  if (words.length < 2) return [];
  return [...known.keys()].filter((each) => {
    let from = 0;
    const parts = each.split("_");
    return words.every((word) => {
      from = parts.indexOf(word, from) + 1;
      return from > 0;
    });
  });
}

/** Whether the Worker reads a variable or binding of this name. */
export function isKnownVariable(name: string): boolean {
  return known.has(name) || REFUSED.includes(name);
}

/**
 * The variables that somebody may have meant by a name that the Worker does not read. None where nothing is near: then
 * it is a variable of their own.
 *
 * @example meantBy("ORIGN_TOKEN") // ["ORIGIN_TOKEN"]
 */
export function meantBy(name: string): string[] {
  if (isKnownVariable(name)) return [];
  const whole = inCapitals(name);
  const bare = whole.replace(AFFIX, "");
  const names = [...known.keys()];
  for (const each of new Set([whole, bare])) {
    const meant = [
      () => names.filter((one) => letters(one) === letters(each) || sorted(one) === sorted(each)),
      () => nearest(each, names),
      () =>
        nearest(letters(each), names.map(letters)).flatMap((near) =>
          names.filter((one) => letters(one) === near),
        ),
      () => withMoreWords(each),
    ];
    for (const find of meant) {
      const found = find();
      if (found.length > 0) return [...new Set(found.map((one) => known.get(one) ?? one))];
    }
  }
  return [];
}

const SECRET_KINDS: readonly Variable["kind"][] = ["secret", "secrets", "keys"];

/** Names of people's own variables that say that the value is a secret. */
const SECRET_NAME =
  /(^|_)(SECRETS?|TOKENS?|PASSWORDS?|PASSWD|(API|PRIVATE|ACCESS|SIGNING|SERVICE|AUTH)_?KEYS?|CREDENTIALS?)$/;

/** Whether a variable of this name holds a secret: by the table, or by what people's own name says. */
export function isSecret(name: string): boolean {
  const stands = known.get(name);
  if (stands === undefined) return SECRET_NAME.test(inCapitals(name));
  return SECRET_KINDS.includes((variables as Record<string, Variable>)[stands]?.kind ?? "text");
}
