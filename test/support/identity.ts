import type { UnverifiedIdentity } from "../../src/identity/confirmed.ts";

/** The claims of a request with only an address, and the given properties. */
export function claimsOf(given: Partial<UnverifiedIdentity> = {}): UnverifiedIdentity {
  return {
    address: "192.0.2.1",
    addressIdentity: { kind: "address", hash: "a".repeat(32) },
    credentials: { sessionToken: null, jwt: null, apiKey: null, sessionCookie: false, any: false },
    session: { kind: "absent" },
    key: { kind: "absent" },
    jwt: { kind: "absent" },
    ...given,
  };
}
