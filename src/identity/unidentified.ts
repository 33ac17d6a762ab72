import type { Config } from "../config/config.ts";
import { clientAddress } from "./address.ts";
import type { Identifier } from "./caller-hash.ts";
import type { UnverifiedIdentity } from "./confirmed.ts";

/**
 * The claims of a request whose credentials the edge does not read: under `EDGE_MODE=bypass` always, and under `observe`
 * where they cannot be read. It names an address and nobody else. The request may have credentials all the same
 * (`any`), so no answer to it passes for one that everybody may have.
 */
export async function unidentified(
  headers: Headers,
  identifier: Pick<Identifier, "identity">,
  { ipv6Prefix }: Pick<Config, "ipv6Prefix">,
): Promise<UnverifiedIdentity> {
  const address = clientAddress(headers, ipv6Prefix);
  return {
    address,
    addressIdentity: await identifier.identity("address", address),
    credentials: { sessionToken: null, jwt: null, apiKey: null, sessionCookie: false, any: true },
    session: { kind: "absent" },
    key: { kind: "absent" },
    jwt: { kind: "absent" },
  };
}
