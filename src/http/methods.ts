/** The methods registered as safe (RFC 9110 §16.1.1). A cache treats any other as unsafe. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PRI", "PROPFIND", "QUERY", "REPORT", "SEARCH"]);

/** Whether a request with this method may change something. @param method Upper case. */
export function isUnsafeMethod(method: string): boolean {
  return !SAFE.has(method);
}
