import { RespError, type RespReply } from "./resp.ts";

/** A reply as Upstash writes it. */
export type RestReply = { result: unknown } | { error: string };

/**
 * An argument as Redis gets it. JSON numbers become exact decimals: 1000000 and never 1e+06, which Redis would refuse as
 * a TTL.
 */
export function argument(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value).toString() : String(value);
  if (typeof value === "boolean") return String(value);
  return JSON.stringify(value) ?? "";
}

/**
 * A reply in the encoding that was asked for. With base64 every string is encoded, except an `OK` that is the whole
 * reply; integers, null and errors never are.
 */
export function restReply(reply: RespReply, base64: boolean): RestReply {
  if (reply instanceof RespError) return { error: reply.message };
  if (reply === "OK") return { result: "OK" };
  return { result: encode(reply, base64) };
}

function encode(reply: RespReply, base64: boolean): unknown {
  if (reply === null || typeof reply === "number") return reply;
  if (Array.isArray(reply)) return reply.map((item) => encode(item, base64));
  if (reply instanceof RespError) return reply.message;
  const bytes = typeof reply === "string" ? Buffer.from(reply) : reply;
  return base64 ? bytes.toString("base64") : bytes.toString("utf8");
}
