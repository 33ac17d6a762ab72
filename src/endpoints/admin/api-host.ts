import * as z from "zod/mini";
import type { Config } from "../../config/config.ts";
import { hostIn, isOnHost } from "../../config/read-hosts.ts";
import { type BadInputCode, badInput } from "../bad-input.ts";

/** `CONSOLE_HOST` and `API_HOST`. */
export type Hosts = Pick<Config, "consoleHost" | "apiHost">;

/** A host in a body: a name of 253 characters (RFC 1035 §2.3.4), a dot and a port at most. */
export const hostName = z.string().check(z.maxLength(260));

/**
 * The address that a path in a body stands on: of the host that the body names, else of the request's own; on the console's host, which
 * has nothing of the API, of `API_HOST`.
 *
 * @throws Problem 400 where the body names no host's name or the console's, and where no host is known.
 */
export function apiAddress(
  own: URL,
  named: string | undefined,
  { consoleHost, apiHost }: Hosts,
  code: BadInputCode,
): URL {
  const wrong = (reason: string) => badInput(code, [{ in: "body", field: "host", reason }]);
  const onConsole = isOnHost(own, consoleHost);
  const host = named === undefined ? (onConsole ? apiHost : own.host) : hostIn(named);
  if (host === null && named === undefined)
    throw wrong(
      "is required on the console's host where API_HOST is not set: the host that a path stands on",
    );
  const address = host === null ? null : new URL(`${own.protocol}//${host}`);
  if (!address) throw wrong("must be a host name, such as api.example.com");
  if (isOnHost(address, consoleHost)) throw wrong("must be a host of your API's, not the console's");
  return address;
}
