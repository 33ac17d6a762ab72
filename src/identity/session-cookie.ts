/** ASVS 3.3.1–3.3.4: Secure, HttpOnly, SameSite, and a name that binds the cookie to this very host. */
export function sessionCookie(url: URL, token: string, expiresAt: number, now: number): string {
  const maxAge = Math.max(0, Math.floor((expiresAt - now) / 1000));
  return loopback(url)
    ? `session=${token}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax`
    : `__Host-session=${token}; Path=/; Max-Age=${maxAge}; Secure; HttpOnly; SameSite=Lax`;
}

/** Ends the cookie in the browser. */
export function clearedCookie(url: URL): string {
  return loopback(url)
    ? "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    : "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
}

/** On plain http a browser drops `Secure` cookies, and `__Host-` needs them: only this machine is let off. */
function loopback(url: URL): boolean {
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}
