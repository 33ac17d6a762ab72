/** An address that names no edge; the message says how one is written. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  readonly code = "address";
}

/**
 * The address of an edge as people write it: with or without a scheme, with a path, a slash at its end or blanks around it.
 * Without a scheme it is http on this machine, else https.
 *
 * ```ts
 * edgeAddress("edge.example.com/"); // https://edge.example.com
 * edgeAddress("localhost:8787"); // http://localhost:8787
 * ```
 *
 * @returns it without a slash at its end.
 * @throws AddressError which shows no user and no query.
 */
export function edgeAddress(text: string): string {
  const written = text.trim().replace(/^\/\//, "");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https")
    throw new AddressError(`An edge speaks http or https, not ${scheme}.`);
  const whole = scheme === undefined ? `${isHere(written) ? "http" : "https"}://${written}` : written;
  const url = written !== "" && URL.canParse(whole) ? new URL(whole) : null;
  if (!url || !isHost(url.hostname)) throw new AddressError("This is no address such as edge.example.com.");
  if (url.username || url.password)
    throw new AddressError("An edge's address has no user or password in it.");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function isHere(text: string): boolean {
  return /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){1,3}|0\.0\.0\.0|\[::1?\])(?=[:/?#]|$)/i.test(text);
}

/** A name with a dot, an address, or this machine: `deploy` alone is a word that was meant for something else. */
function isHost(hostname: string): boolean {
  return hostname.includes(".") || hostname.startsWith("[") || hostname === "localhost";
}
