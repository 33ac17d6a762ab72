import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a page in a browser may have sent the request. A page of any site can send requests to loopback, and knows the token
 * where its author reads it in a repository. Browsers name the page in `Origin` or say `Sec-Fetch-Site`; a name of another
 * host that resolves to loopback (DNS rebinding) stands in `Host`. Node's `fetch` sends `Sec-Fetch-Mode` alone.
 */
export function isFromBrowser({ host, ...headers }: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers["sec-fetch-site"] !== undefined || !isLoopback(host ?? "");
}

/** Whether a `Host` is a name of this machine: loopback addresses, and `localhost` with what is below it (RFC 6761 §6.3). */
function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  return /^(127(\.\d{1,3}){3}|\[::1\]|([a-z0-9-]+\.)*localhost)$/.test(name);
}
