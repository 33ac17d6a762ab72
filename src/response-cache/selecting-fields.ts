import { type CredentialNames, DEFAULT_CREDENTIALS } from "../http/credential-fields.ts";
import { selectsNothing } from "../http/edge-fields.ts";
import { laxName } from "../http/field-name.ts";
import { isPerRequestField } from "../http/per-request-fields.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import { fieldKey } from "./rules/vary.ts";

/** A longer value is named by its hash: it would be sent with every look. */
const MAX_FIELD_LENGTH = 512;

/** The fields as the origin is sent them. Names are in lower case. */
export interface ForwardedNames {
  get(name: string): string | null;
  entries(): Iterable<readonly [name: string, value: string]>;
  /** Of these fields, and perhaps of some more. Default those of {@link entries}. */
  names?(): Iterable<string>;
}

const NO_NAMES: readonly string[] = [];

/**
 * A request's fields, as the origin is sent them, as they select among the variants of a URL. One that may hold a secret selects by a keyed hash of its
 * value: what stands in Redis, and what is sent there to look one up, is never the value. So does one that came in another spelling as
 * well (`x_tenant`): an origin may read either, or both.
 */
export class SelectingFields {
  readonly #source: ForwardedNames;
  /** All fields, once more than a few are wanted: one pass costs less than a look at each. */
  #fields: ReadonlyMap<string, string> | null = null;
  readonly #hash: Identifier["hash"];
  readonly #credentials: CredentialNames;
  #hidden: Map<string, string> | null = null;
  /** By the name that an origin may read them as, those in another spelling (`x_tenant`), once they are wanted. */
  #otherSpellings: ReadonlyMap<string, readonly string[]> | null = null;

  constructor(
    fields: ForwardedNames,
    hash: Identifier["hash"],
    credentials: CredentialNames = DEFAULT_CREDENTIALS,
  ) {
    this.#source = fields;
    this.#credentials = credentials;
    this.#hash = hash;
  }

  /** To be awaited before {@link get} is asked for what may be a secret or long. Its cost is a hash for each that is there. */
  async hide(): Promise<void> {
    if (this.#hidden) return;
    const hidden = new Map<string, string>();
    for (const [name, value] of this.#all()) {
      if (this.#isHidden(name, value)) hidden.set(name, await this.#hash("field", `${name}: ${value}`));
    }
    this.#otherSpellings ??= this.#readOtherSpellings();
    for (const [name, spellings] of this.#otherSpellings) {
      const values = [name, ...spellings].map((each) => [each, this.#value(each)]);
      hidden.set(name, await this.#hash("field", JSON.stringify(values)));
    }
    this.#hidden = hidden;
  }

  #isHidden(name: string, value: string | null): boolean {
    return this.#credentials.isSecretField(name) || (value?.length ?? 0) > MAX_FIELD_LENGTH;
  }

  #all(): ReadonlyMap<string, string> {
    if (this.#fields) return this.#fields;
    const fields = new Map<string, string>();
    for (const [name, value] of this.#source.entries()) {
      // Only `Set-Cookie` comes more than once.
      const before = fields.get(name);
      fields.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    this.#fields = fields;
    return fields;
  }

  #value(name: string): string | null {
    return this.#fields ? (this.#fields.get(name) ?? null) : this.#source.get(name);
  }

  #spellingsBeside(name: string): readonly string[] {
    this.#otherSpellings ??= this.#readOtherSpellings();
    return this.#otherSpellings.get(name) ?? NO_NAMES;
  }

  #readOtherSpellings(): ReadonlyMap<string, readonly string[]> {
    const others = new Map<string, string[]>();
    for (const name of this.#source.names?.() ?? this.#all().keys()) {
      const lax = laxName(name);
      if (lax === name || this.#value(name) === null) continue;
      const known = others.get(lax);
      if (known) known.push(name);
      else others.set(lax, [name]);
    }
    return others;
  }

  /** Whether a variant with these selecting fields can be told without {@link hide}. */
  canTell(vary: readonly string[]): boolean {
    const needsHash = (name: string) =>
      this.#isHidden(name, this.#value(name)) || this.#spellingsBeside(name).length > 0;
    return this.#hidden !== null || !vary.some(needsHash);
  }

  /** A field's value, or the hash that stands for it and for what came under other spellings of its name. */
  get(name: string): string | null {
    if (selectsNothing(name)) return null;
    return this.#hidden?.get(name) ?? this.#value(name);
  }

  /** Names and texts by turns, for the script that looks in Redis. */
  asArguments(): string[] {
    const fields: string[] = [];
    for (const name of new Set([...this.#all().keys(), ...(this.#otherSpellings?.keys() ?? [])])) {
      // Nobody can vary by what is of one request alone (`rules/vary.ts`).
      if (!selectsNothing(name) && !isPerRequestField(name)) fields.push(name, this.text(name));
    }
    return fields;
  }

  /** One hash over all credentials of a request: the same for two requests that carry the same ones. */
  async credentials({ request, url }: { request: Pick<Request, "headers">; url: URL }): Promise<string> {
    await this.hide();
    const fields: [name: string, text: string][] = [];
    let hashed = true;
    for (const [name, value] of request.headers) {
      if (!this.#credentials.isCredentialField(name)) continue;
      // What goes on as it came has a hash already, over its name and value.
      const hidden = this.#value(name) === value ? this.#hidden?.get(name) : undefined;
      hashed &&= hidden !== undefined;
      fields.push([name, hidden ?? value]);
    }
    const parameters =
      url.search === ""
        ? []
        : [...url.searchParams].filter(([name]) => this.#credentials.isCredentialParameter(name));
    const [only, ...others] = fields;
    if (only && hashed && others.length === 0 && parameters.length === 0) return only[1];
    return this.#hash("credentials", JSON.stringify([fields, parameters]));
  }

  /** One field, normalised, as a text. */
  text(name: string): string {
    return fieldKey(name, this.get(name));
  }

  /**
   * The name of the variant that the request selects, for the selecting fields `vary`. The script in Redis puts the same
   * text together from {@link text}, and hashes it.
   */
  variant(vary: readonly string[]): string {
    return vary.map((name) => `${this.text(name)}\n`).join("");
  }
}
