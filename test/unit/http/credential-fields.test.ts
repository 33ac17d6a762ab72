import { describe, expect, it } from "vitest";
import {
  hasUnreadCredential,
  isCredentialField,
  isCredentialParameter,
  isSecretField,
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
    expect(isCredentialField(name)).toBe(credential);
    expect(hasUnreadCredential(new Headers({ accept: "*/*", [name]: "v" }))).toBe(unread);
    expect(isSecretField(name)).toBe(secret);
  });
});

it("of a query, api_key is a credential", () => {
  expect(isCredentialParameter("api_key")).toBe(true);
  expect(isCredentialParameter("api-key")).toBe(false);
});
