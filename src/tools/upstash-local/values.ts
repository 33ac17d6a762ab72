import { RespError, type RespReply } from "./resp.ts";

/** A reply as Upstash writes it. */
export type RestReply = { result: unknown } | { error: string };

/** Node has it; TypeScript's library does not name it yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };

/**
 * A reply in the encoding that was asked for. With base64 every string is encoded, except an `OK` that is the whole
 * reply; integers, null and errors never are. Without it a string is text, and bytes that are no UTF-8 are lost.
 */
export function restReply(reply: RespReply, base64: boolean): RestReply {
  if (reply instanceof RespError) return { error: reply.message };
  if (reply === "OK") return { result: "OK" };
  return { result: encode(reply, base64) };
}

function encode(reply: RespReply, base64: boolean): unknown {
  if (reply === null || typeof reply === "number") return reply;
  if (typeof reply === "bigint") return rawJSON(reply.toString());
  if (Array.isArray(reply)) return reply.map((item) => encode(item, base64));
  if (reply instanceof RespError) return reply.message;
  const bytes = typeof reply === "string" ? Buffer.from(reply) : reply;
  return bytes.toString(base64 ? "base64" : "utf8");
}
