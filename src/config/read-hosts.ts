import type { OriginConfig } from "./config.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import type { VariableValues } from "./variables-table.ts";

/** A host name, and perhaps a port: no scheme, path, user, wildcard or empty label. */
const HOST = /^(?!.*\.\.)(?!\.)[^\s/\\?#@:[\]*,;"'<>%]+(:\d{1,5})?$/;

/**
 * A host name in the one spelling that a URL has: small letters, Punycode, no dot at its end, and the port where one is written.
 *
 * @returns null for any other text.
 * @example hostIn("API.example.com.:8443") // "api.example.com:8443"
 */
export function hostIn(text: string): string | null {
  const written = text.trim();
  const spelled = written.replace(/\.(?=(:\d+)?$)/, "");
  if (!HOST.test(written) || !URL.canParse(`https://${spelled}`)) return null;
  const { hostname, port } = new URL(`https://${spelled}`);
  // `8080` is 0.0.31.144 to a URL: what is purged there is found nowhere.
  if (/^[\d.]+$/.test(hostname) && !spelled.startsWith(hostname)) return null;
  return port === "" ? hostname : `${hostname}:${port}`;
}

/** `CONSOLE_HOST` and `API_HOST`. */
export function readHosts(
  { CONSOLE_HOST: consoleText, API_HOST: apiText }: Pick<VariableValues, "CONSOLE_HOST" | "API_HOST">,
  origin: OriginConfig | null,
  issues: ConfigIssue[],
): { consoleHost: string | null; apiHost: string | null } {
  const read = (place: string, text: string | null, form: RegExp, fix: string) => {
    const host = text === null ? null : hostIn(text);
    if (text === null || (host !== null && form.test(host))) return host;
    issues.push({ place, found: shown(text), fix });
    return null;
  };
  // An address of digits has no certificate, and its pages share nothing that a name could keep apart.
  const consoleHost = read(
    "CONSOLE_HOST",
    consoleText,
    /^(?!.*:)(?!.*(^|\.)\d+$)/,
    "Must be a host name such as edge-console.example.com: no scheme, port, path or wildcard.",
  );
  const apiHost = read(
    "API_HOST",
    apiText,
    /./,
    "Must be a host name such as api.example.com, with a port at most.",
  );
  const others = {
    "the host of ORIGIN_URL": origin?.url.hostname,
    API_HOST: apiHost?.replace(/:\d+$/, ""),
  };
  for (const [name, other] of Object.entries(others)) {
    if (consoleHost === null || consoleHost !== other?.replace(/\.$/, "")) continue;
    const fix = "Give the console a host name of its own: a page of the API's host could script it.";
    issues.push({ place: "CONSOLE_HOST", found: `${shown(consoleHost)}, which is ${name}`, fix });
  }
  return { consoleHost, apiHost };
}

/** Whether an address is on the console's host, whatever its port and however the name is written. */
export function isOnHost({ hostname }: URL, consoleHost: string | null): boolean {
  return consoleHost !== null && (hostname === consoleHost || hostname === `${consoleHost}.`);
}
