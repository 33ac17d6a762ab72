import type { ErrorClass, Place } from "./error-place.ts";

/**
 * What one field of an event may hold. There is no kind for free text that a request could fill: every text is one of a
 * list, an id or a hash of the edge's own making, or comes from the configuration.
 */
export interface Field<Value> {
  /** The kind, for the table in the docs. */
  readonly kind: string;
  /** The only texts it may hold, where they are a list. */
  readonly words?: readonly string[];
  /** Whether a value may be written. The types say so too; this holds where a text's type is no more than `string`. */
  fits(value: unknown): boolean;
  /** Carries the type; it has no value. */
  readonly type?: Value;
}

/** What {@link Field} allows in a field, as TypeScript sees it. */
export type ValueOf<F> = F extends Field<infer Value> ? Value : never;

/** true or false. */
export const flag: Field<boolean> = { kind: "flag", fits: (value) => typeof value === "boolean" };
/** A whole number from 0. */
export const count: Field<number> = {
  kind: "count",
  fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
/** Milliseconds. A clock that is set back makes them negative. */
export const ms: Field<number> = { kind: "ms", fits: Number.isFinite };
/** An HTTP status, whatever the other side called one. */
export const status: Field<number> = { kind: "status", fits: Number.isSafeInteger };
/** The id that the edge gave the request. */
export const requestId: Field<string> = text("request id", /^[\w-]{1,64}$/);
/** HMAC of a caller, a user or a session, as `identity/caller-hash.ts` makes it. */
export const hash: Field<string> = text("hash", /^[0-9a-f]{1,64}$/);
/** The id that Cloudflare gave the request, without the data centre. */
export const ray: Field<string> = text("ray", /^[0-9a-f]{16}$/);
/** A data centre of Cloudflare's, by its airport (IATA). */
export const colo: Field<string> = text("colo", /^[A-Z]{3}$/);
/** The deployed version: the first eight digits of its id. */
export const deployed: Field<string> = text("version", /^[0-9a-f]{8}$/);
/** A word that the code, Redis or a problem's catalogue gives: `denied`, `WRONGTYPE`, `session_required`. */
export const code: Field<string> = text("code", /^[A-Za-z][A-Za-z0-9_-]{0,63}$/);
/** A name that the configuration gives a route or a limit. */
export const configuredName: Field<string> = { kind: "name", fits: (value) => typeof value === "string" };
/** A host, and a port where it is not the scheme's own, from the configuration. */
export const host: Field<string> = text("host", /^[\w.[\]:-]{1,261}$/);
/** The class of an error; only `error-place.ts` makes one. */
export const errorClass: Field<ErrorClass> = text("class", /^[A-Za-z_$][\w$]{0,63}$/);
/** A function of the edge and its position in the bundle; only `error-place.ts` makes one. */
export const place: Field<Place> = text("place", /^(?:unknown|[\w$.#<>]{1,100} [\w.-]{1,100}:\d+:\d+)$/);
/** A sentence that the edge writes about its own configuration. No event of a request's own course has one. */
export const sentence: Field<string> = { kind: "sentence", fits: (value) => typeof value === "string" };

/** One of a list. */
export function word<const Words extends readonly string[]>(...words: Words): Field<Words[number]> {
  return { kind: "word", words, fits: (value) => words.some((each) => each === value) };
}

/** A field that may be left out (undefined), or say that there is nothing (null). */
export function optional<Value>(field: Field<Value>): Field<Value | null | undefined> & { optional: true } {
  const { type: _type, ...rest } = field;
  const fits = (value: unknown) => value === undefined || value === null || field.fits(value);
  return { ...rest, fits, optional: true };
}

function text<Value extends string>(kind: string, pattern: RegExp): Field<Value> {
  return { kind, fits: (value) => typeof value === "string" && pattern.test(value) };
}
