import { parseCacheControl } from "./cache-control.ts";

/**
 * Whether a client that sends this `Accept-Encoding` can be given gzip (RFC 9110 §12.5.3). Without the field it is not:
 * every client understands the identity form.
 */
export function acceptsGzip(acceptEncoding: string | null | undefined): boolean {
  const weights = new Map<string, number>();
  for (const member of (acceptEncoding ?? "").toLowerCase().split(",")) {
    const [coding = "", ...parameters] = member.split(";").map((part) => part.trim());
    const weight = parameters.find((each) => each.startsWith("q="))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  const weight = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return weight > 0;
}

/** `no-transform` (RFC 9111 §5.2.2.6): the content goes on in the coding it came in. */
export function forbidsTransform(headers: Pick<Headers, "get">): boolean {
  return parseCacheControl(headers.get("cache-control")).has("no-transform");
}
