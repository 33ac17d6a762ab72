import type { UnverifiedIdentity } from "../../src/identity/confirmed.ts";

/** What a request claims that carries nothing but an address, and whatever is given. */
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
