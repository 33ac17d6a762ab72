import { remembered } from "../runtime/remembered.ts";
import { laxName } from "./field-name.ts";
import { queryPairs } from "./query.ts";
import { SESSION_TOKEN_FIELD } from "./session-token.ts";

/** The query parameter that carries an API key. */
export const API_KEY_PARAMETER = "api_key";
/** The field that carries an API key. */
export const API_KEY_FIELD = "X-API-Key";
/** The fields in which the edge reads who calls. */
export const CALLER_FIELDS: readonly string[] = ["Authorization", "Cookie", API_KEY_FIELD];

/**
 * What a request field or a query parameter says of its sender.
 *
 * - `read`: a credential that the edge reads itself.
 * - `unread`: a credential that only an origin can read. It decides who may share an answer all the same.
 * - `secret`: it names nobody, but its value must not stand in a key, in Redis or in a log.
 */
type FieldKind = "read" | "unread" | "secret";

/** By exact name, as {@link laxName} writes it. */
const FIELDS: ReadonlyMap<string, FieldKind> = new Map([
  ["authorization", "read"],
  ["cookie", "read"],
  [laxName(API_KEY_FIELD), "read"],
  ["x-auth-token", "unread"],
  [laxName(SESSION_TOKEN_FIELD), "unread"],
  ["cookie2", "unread"],
  ["proxy-authorization", "secret"],
  ["x-csrf-token", "secret"],
]);

/** A name that holds one of these whole words is a credential's. */
const CREDENTIAL_WORDS: ReadonlySet<string> = new Set([
  ...["key", "token", "secret", "signature", "sig", "hmac", "auth", "authorization", "authentication"],
  ...["password", "passwd", "pwd", "passphrase", "passcode", "otp", "credential", "credentials"],
  ...["jwt", "bearer", "sid", "sessid", "sessionid", "jsessionid", "phpsessid"],
  // Written in one.
  ...["apikey", "appkey", "accesskey", "secretkey", "privatekey", "authkey", "subscriptionkey"],
  ...["apitoken", "accesstoken", "authtoken", "idtoken", "refreshtoken", "sessiontoken", "usertoken"],
  ...["apisecret", "clientsecret", "appsecret", "authorizationtoken"],
]);

/** Before the word: then it says where in a list, which record, or which write, and not who. */
const NO_CREDENTIAL_AFTER: Readonly<Record<string, ReadonlySet<string>>> = {
  token: new Set(["page", "next", "continuation", "cursor", "pagination"]),
  key: new Set(["sort", "partition", "primary", "foreign", "idempotency", "surrogate", "cache", "row"]),
};

/** Behind the word: then it describes the credential, and is none. */
const NO_CREDENTIAL_BEFORE: ReadonlySet<string> = new Set([
  ...["id", "type", "version", "method", "algorithm", "input", "inflection", "count", "limit"],
]);

/** A hint of a word, so that most names need not be split. */
const MAY_BE_ONE = /key|token|secret|sig|hmac|auth|pass|pwd|otp|cred|jwt|bearer|sid|sess/i;

/**
 * A field that ends so holds somebody's session (`X-Metabase-Session`, `X-Appwrite-Session`). A parameter may be a term or a talk, and stands
 * in the key in any case.
 */
const SESSION_FIELD = /(^|-)sess(ion)?$/;

/** The fields of the handshake of a WebSocket, none of which says who asks (RFC 6455 §11.3). */
const HANDSHAKE = /^sec-websocket-/;

/** The one place that decides by the name of a field or a parameter. */
export class CredentialNames {
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();

  /** @param listed `CREDENTIAL_FIELDS`: names that are added, and with a leading `-` removed. Those the edge reads stay. */
  constructor(listed: readonly string[] = []) {
    for (const each of listed) {
      if (each.startsWith("-")) this.#removed.add(laxName(each.slice(1)));
      else this.#added.add(laxName(each));
    }
  }

  readonly #kindOf = remembered((name): FieldKind | null => {
    const lax = laxName(name);
    const exact = FIELDS.get(lax);
    if (exact === "read") return exact;
    if (this.#added.has(lax)) return "unread";
    if (this.#removed.has(lax)) return null;
    return exact ?? (HANDSHAKE.test(lax) ? null : kindByWords(name));
  });

  readonly #kindOfField = remembered((name): FieldKind | null => {
    const lax = laxName(name);
    const isSession = SESSION_FIELD.test(lax) && !this.#removed.has(lax);
    return this.#kindOf(name) ?? (isSession ? "unread" : null);
  });

  /** Whether a request field says who sends the request, to the edge or to an origin. */
  isCredentialField(name: string): boolean {
    return isCredential(this.#kindOfField(name));
  }

  /**
   * Whether a request carries a credential that the edge does not read, be it empty. A field the edge reads counts when it
   * is spelled in another way (`X_API_Key`): an origin may read that spelling, and the edge does not.
   */
  hasUnread(headers: Headers, url?: URL): boolean {
    for (const name of headers.keys()) {
      const kind = this.#kindOfField(name);
      if (kind === "unread" || (kind === "read" && !FIELDS.has(name))) return true;
    }
    if (!url?.search) return false;
    // The edge reads the parameter by its own name, and not behind a `;`.
    return queryPairs(url.search.slice(1)).some(({ name: own, names }) =>
      names.some((name) => (name !== API_KEY_PARAMETER || name !== own) && this.isCredentialParameter(name)),
    );
  }

  /** Whether a request field's value must be hashed before it is kept or sent anywhere. */
  isSecretField(name: string): boolean {
    return this.#kindOfField(name) !== null;
  }

  /** Whether a query parameter says who sends the request. */
  isCredentialParameter(name: string): boolean {
    return isCredential(this.#kindOf(name));
  }
}

function isCredential(kind: FieldKind | null): boolean {
  return kind === "read" || kind === "unread";
}

/** As the table says, without `CREDENTIAL_FIELDS`. */
export const DEFAULT_CREDENTIALS = /* @__PURE__ */ new CredentialNames();

/** For limits alone, which have no room for the table: whatever may be a credential is one. */
export const HINTED_CREDENTIALS: Pick<CredentialNames, "isSecretField"> = {
  isSecretField: (name) => name.startsWith("cookie") || MAY_BE_ONE.test(name),
};

/** Whether a query parameter is the edge's own credential: it is part of no key. */
export function isKeylessParameter(name: string): boolean {
  return name === API_KEY_PARAMETER;
}

/** A parameter with one of these words holds a signature over the URL as it was written. */
const SIGNATURE_WORDS: ReadonlySet<string> = new Set(["signature", "sig", "sign", "hmac"]);

/** Whether a query parameter holds a signature over the URL: `X-Amz-Signature`, `sig`, `urlSignature`. */
export function isSignatureParameter(name: string): boolean {
  return /sig|hmac/i.test(name) && wordsOf(name).some((word) => SIGNATURE_WORDS.has(word));
}

/** Of these words those that in an answer say something of it, and hand out nothing: `Access-Control-Allow-Credentials`, `Signature`. */
const OF_THE_ANSWER: ReadonlySet<string> = new Set([
  ...["key", "auth", "authentication", "credential", "credentials", "signature", "sig", "hmac"],
]);

/**
 * What has none of the words: what the client signs its next request with (RFC 9110 §11.6.3, RFC 9449 §8.2, RFC 8555 §6.5.1, WordPress),
 * whether it is signed in (FedCM), how its session is bound to its device (DBSC), and that its browser is to forget what it has.
 */
const TO_THE_SENDER =
  /^(set-cookie2?|authentication-info|(dpop|replay|x-wp)-nonce|set-login|clear-site-data)$|^sec(ure)?-session-|[cx]srf/;

/**
 * Whether a response field is for the one who asked, whatever the rest of the answer is: a cookie, or a token such as an API hands out in
 * a field (`X-CSRF-Token`, `Access-Token`, `Authorization`). To anybody else it is of no use, or somebody else's. @param name In lower case.
 */
export const isForSenderAlone = /* @__PURE__ */ remembered(
  (name) => TO_THE_SENDER.test(name) || holdsCredential(name, (word) => !OF_THE_ANSWER.has(word)),
);

function kindByWords(name: string): FieldKind | null {
  if (!holdsCredential(name, () => true)) return null;
  const words = wordsOf(name);
  return words.includes("csrf") || words.includes("xsrf") ? "secret" : "unread";
}

/** @param counts Which of the words count. */
function holdsCredential(name: string, counts: (word: string) => boolean): boolean {
  if (!MAY_BE_ONE.test(name)) return false;
  const words = wordsOf(name);
  return words.some((word, index) => {
    if (word === "session") return words[index + 1] === "id";
    if (!CREDENTIAL_WORDS.has(word) || !counts(word)) return false;
    if (NO_CREDENTIAL_BEFORE.has(words[index + 1] ?? "")) return false;
    return !NO_CREDENTIAL_AFTER[word]?.has(words[index - 1] ?? "");
  });
}

/** Up to the last letter. `\d+$` would try again from each digit of a name that is nothing but digits and a letter. */
const WITHOUT_NUMBER = /^.*[a-z]/;

/** `nextPageToken`, `next-page-token`, `next.page_token2`: next, page, token. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => WITHOUT_NUMBER.exec(word)?.[0] ?? "")
    .filter((word) => word !== "");
}
