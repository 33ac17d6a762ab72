import type { Identifier } from "../caller/index.ts";
import { variantKey } from "./rules/index.ts";

/**
 * Fields that may hold a secret. They select a variant by a keyed hash of their value: what stands in Redis, and what is
 * sent there to look one up, is never the value.
 */
const SECRET = [
  "authorization",
  "cookie",
  "proxy-authorization",
  "x-api-key",
  "apikey",
  "x-auth-token",
  "x-csrf-token",
];

/** Not the client's to say: the origin never sees its values, or they are of the connection or of one request only. */
const NEVER =
  /^(cf-.*|x-forwarded-.*|x-real-ip|x-edge-.*|x-user-.*|x-request-id|forwarded|true-client-ip|cdn-loop|host|connection|keep-alive|te|transfer-encoding|upgrade|content-length|traceparent|tracestate|via|if-.*|range|cache-control|pragma)$/;

/** A field that is longer selects nothing in Redis: it would be sent with every look. */
const LONGEST_FIELD = 1024;

/** A request's fields as they select among the variants of a URL. */
export class SelectingFields {
  readonly #headers: Headers;
  readonly #hash: Identifier["hash"];
  #hidden: Map<string, string> | null = null;

  constructor(headers: Headers, hash: Identifier["hash"]) {
    this.#headers = headers;
    this.#hash = hash;
  }

  /** To be awaited before {@link get} is asked for what may be a secret. Its cost is a hash for each that is there. */
  async hide(): Promise<void> {
    if (this.#hidden) return;
    const hidden = new Map<string, string>();
    for (const name of SECRET) {
      const value = this.#headers.get(name);
      if (value !== null) hidden.set(name, await this.#hash("field", `${name}: ${value}`));
    }
    this.#hidden = hidden;
  }

  /** Whether a variant with these selecting fields can be told without {@link hide}. */
  canTell(vary: readonly string[]): boolean {
    return this.#hidden !== null || !vary.some((name) => SECRET.includes(name));
  }

  get(name: string): string | null {
    if (NEVER.test(name)) return null;
    return this.#hidden?.get(name) ?? this.#headers.get(name);
  }

  /** Names and texts by turns, for the script that looks in Redis. */
  asArguments(): string[] {
    const fields: string[] = [];
    for (const [name, value] of this.#headers) {
      if (value.length <= LONGEST_FIELD && !NEVER.test(name)) fields.push(name, this.text(name));
    }
    return fields;
  }

  /** One field, normalised, as a text. */
  text(name: string): string {
    return variantKey([name], this);
  }

  /**
   * The name of the variant that the request selects, for the selecting fields `vary`. The script in Redis puts the same
   * text together from {@link text}, and hashes it.
   */
  variant(vary: readonly string[]): string {
    return vary.map((name) => `${this.text(name)}\n`).join("");
  }
}
