import { describe, expect, it } from "vitest";
import {
  CredentialNames,
  DEFAULT_CREDENTIALS,
  isForSenderAlone,
  isKeylessParameter,
} from "../../../src/http/credential-fields.ts";

describe("a request field", () => {
  it.each<[name: string, credential: boolean, unread: boolean, secret: boolean]>([
    ["authorization", true, false, true],
    ["Authorization", true, false, true],
    ["cookie", true, false, true],
    ["x-api-key", true, false, true],
    ["apikey", true, true, true],
    ["x-auth-token", true, true, true],
    ["x-session-token", true, true, true],
    // The edge reads none of these spellings, and an origin may.
    ["x_api_key", true, true, true],
    ["X_Auth_Token", true, true, true],
    // They name nobody.
    ["proxy-authorization", false, false, true],
    ["x-csrf-token", false, false, true],
    ["accept", false, false, false],
    ["x-api-key-id", false, false, false],
  ])("%s: credential %s, unread by the edge %s, secret %s", (name, credential, unread, secret) => {
    expect(DEFAULT_CREDENTIALS.isCredentialField(name)).toBe(credential);
    expect(DEFAULT_CREDENTIALS.hasUnread(new Headers({ accept: "*/*", [name]: "v" }))).toBe(unread);
    expect(DEFAULT_CREDENTIALS.isSecretField(name)).toBe(secret);
  });
});

it("of a query, api_key is in no key", () => {
  expect(isKeylessParameter("api_key")).toBe(true);
  expect(isKeylessParameter("api-key")).toBe(false);
});

/** Names that real APIs, clouds and tools use. */
const CREDENTIALS = [
  ...["api-key", "x-apikey", "x-access-token", "private-token", "ocp-apim-subscription-key"],
  ...["x-goog-api-key", "x-shopify-access-token", "x-amz-security-token", "x-auth-key", "x-auth-email"],
  ...["x-vault-token", "x-gitlab-token", "x-functions-key", "x-ms-client-auth", "x-hub-signature-256"],
  ...["signature", "x-rapidapi-key", "dd-api-key", "x-parse-rest-api-key", "x-parse-session-token"],
  ...["x-session-id", "x-client-secret", "x-jwt-assertion", "x-consul-token", "x_figma_token"],
  ...[
    "access_token",
    "apiKey",
    "APIKey",
    "key",
    "sig",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "client_secret",
  ],
  ...["subscription-key", "authToken", "password", "id.token", "api_key2", "jsessionid", "hmac", "sas-token"],
  ...["sessid", "x-sessid"],
];

const OTHERS = [
  ...["page_token", "pageToken", "nextToken", "next-page-token", "continuation-token", "cursor.token"],
  ...[
    "sort-key",
    "sortKey",
    "partition_key",
    "x-ms-documentdb-partitionkey",
    "primaryKey",
    "idempotency-key",
  ],
  ...["Idempotency-Key", "sec-websocket-key", "sec-websocket-protocol", "sec-websocket-extensions"],
  ...["accept-language", "author", "authority", "keyword", "keywords", "monkey", "tokenize", "secretary"],
  ...["x-request-id", "user-agent", "signal", "sigma", "passenger", "key-inflection", "token_type", "design"],
  ...["origin", "sec-fetch-site", "x-tenant", "q", "utm_source", "surrogate-key", "max_tokens", "compass"],
];

describe("by the words of its name", () => {
  it.each(CREDENTIALS)("%s is a credential", (name) => {
    expect(DEFAULT_CREDENTIALS.isCredentialField(name)).toBe(true);
    expect(DEFAULT_CREDENTIALS.isCredentialParameter(name)).toBe(true);
    expect(DEFAULT_CREDENTIALS.isSecretField(name)).toBe(true);
  });

  it.each(OTHERS)("%s is none", (name) => {
    expect(DEFAULT_CREDENTIALS.isCredentialField(name)).toBe(false);
    expect(DEFAULT_CREDENTIALS.isCredentialParameter(name)).toBe(false);
    expect(DEFAULT_CREDENTIALS.isSecretField(name)).toBe(false);
  });

  it("a token against forged requests is a secret, and says nothing of who asks", () => {
    expect(DEFAULT_CREDENTIALS.isSecretField("x-xsrf-token")).toBe(true);
    expect(DEFAULT_CREDENTIALS.isCredentialField("x-xsrf-token")).toBe(false);
  });

  it("a parameter counts even when it is empty", () => {
    const has = (query: string) =>
      DEFAULT_CREDENTIALS.hasUnread(new Headers(), new URL(`https://e/x${query}`));
    const unread = ["?access_token=", "?a=1&sig", "?x%2Dapi%2Dkey=1", "?a=1;api_key=k", "?API_KEY=k"];
    expect(unread.filter((query) => !has(query))).toEqual([]);
    expect(["", "?a=1", "?page_token=1", "?api_key=k", "?api_key=k;a=1"].filter(has)).toEqual([]);
  });
});

describe("a name that ends with session", () => {
  it.each(["session", "x-session", "X-Metabase-Session", "x-appwrite-session", "X_LC_Session", "x-sess"])(
    "%s is a field's credential, and says nothing of a parameter",
    (name) => {
      expect(DEFAULT_CREDENTIALS.isCredentialField(name)).toBe(true);
      expect(DEFAULT_CREDENTIALS.isSecretField(name)).toBe(true);
      expect(DEFAULT_CREDENTIALS.hasUnread(new Headers({ [name]: "v" }))).toBe(true);
      expect(DEFAULT_CREDENTIALS.isCredentialParameter(name)).toBe(false);
    },
  );

  it("is none where CREDENTIAL_FIELDS takes it away, nor one with session in another place", () => {
    expect(new CredentialNames(["-X-Session"]).isCredentialField("x-session")).toBe(false);
    for (const name of ["x-session-count", "x-session-start", "obsession", "x-sessions"])
      expect(DEFAULT_CREDENTIALS.isCredentialField(name), name).toBe(false);
  });
});

it("CREDENTIAL_FIELDS adds names, and removes them with a leading -", () => {
  const names = new CredentialNames(["X-Tenant", "-key", "-X-Auth-Email", "-authorization", "-x-api-key"]);
  for (const name of ["x-tenant", "X_Tenant", "authorization", "x-api-key", "x-auth-key"])
    expect(names.isCredentialField(name), name).toBe(true);
  for (const name of ["key", "x-auth-email"]) {
    expect(names.isCredentialField(name), name).toBe(false);
    expect(names.isSecretField(name), name).toBe(false);
  }
});

describe("a response field", () => {
  it.each([
    ...["set-cookie", "set-cookie2", "set-login", "authentication-info", "dpop-nonce", "replay-nonce"],
    ...["x-wp-nonce", "secure-session-challenge", "secure-session-registration", "sec-session-challenge"],
    ...["x-csrf-token", "x-xsrf-token", "csrf-token", "x-harbor-csrf-token", "x-csrftoken", "csrf_token"],
    ...["authorization", "access-token", "x-access-token", "refresh-token", "x-auth-token", "x-new-token"],
    ...[
      "x-amz-security-token",
      "x-jwt",
      "x-session-id",
      "mcp-session-id",
      "x-client-secret",
      "x-okapi-token",
    ],
    "clear-site-data",
  ])("%s is for the one who asked", (name) => {
    expect(isForSenderAlone(name)).toBe(true);
  });

  it.each([
    ...[
      "access-control-allow-credentials",
      "www-authenticate",
      "signature",
      "signature-input",
      "x-hub-signature",
    ],
    ...[
      "surrogate-key",
      "x-object-key",
      "idempotency-key",
      "x-goog-encryption-key-sha256",
      "etag",
      "accept-ch",
    ],
    ...["x-next-page-token", "x-amz-next-token", "x-ms-continuation-token", "token-type", "x-token-count"],
    ...["x-ratelimit-remaining-tokens", "x-auth-request-redirect", "content-security-policy", "repr-digest"],
    ...["cache-control", "content-type", "x-request-id", "server-timing", "retry-after"],
  ])("%s is not", (name) => {
    expect(isForSenderAlone(name)).toBe(false);
  });
});
