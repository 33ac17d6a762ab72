import { parseHttpDate } from "../../http/http-date.ts";
import { entityTag, stronglyEqual } from "./entity-tag.ts";

/** What of a complete 200 a GET asks for. Bytes, counted from 0, `last` included. */
export type RangeAnswer =
  /** 200 with everything: no range, one that does not count, or several. */
  | { kind: "whole" }
  /** 206. */
  | { kind: "part"; first: number; last: number }
  /** 416. */
  | { kind: "unsatisfiable" };

const WHOLE: RangeAnswer = { kind: "whole" };

/**
 * Which part of a complete 200 a GET asks for (RFC 9110 §14.2), after the other preconditions (§13.2.2) and on the
 * identity form of the content.
 *
 * Several ranges get everything: API clients do not ask for `multipart/byteranges`, and it is the classical way to make a
 * server send its content many times over (§17.15).
 *
 * @param size bytes of the whole.
 */
export function rangeOf(requestHeaders: Headers, headers: Headers, size: number): RangeAnswer {
  const range = requestHeaders.get("range");
  if (range === null || !ifRangeHolds(requestHeaders.get("if-range"), headers)) return WHOLE;
  // A list may have empty elements (RFC 9110 §5.6.1.2).
  const match = /^bytes[ \t]*=[ \t,]*(\d*)-(\d*)[ \t,]*$/i.exec(range);
  if (!match) return WHOLE;
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  if (first === "") return last === "" ? WHOLE : suffix(Number(last), size);
  // §14.1.1: a range that ends before it starts is invalid, and ignored.
  if (last !== "" && Number(last) < Number(first)) return WHOLE;
  if (Number(first) >= size) return { kind: "unsatisfiable" };
  return {
    kind: "part",
    first: Number(first),
    last: last === "" ? size - 1 : Math.min(Number(last), size - 1),
  };
}

function suffix(count: number, size: number): RangeAnswer {
  if (count === 0) return { kind: "unsatisfiable" };
  // Satisfiable (§14.1.2), and there is no Content-Range for nothing.
  return size === 0 ? WHOLE : { kind: "part", first: Math.max(0, size - count), last: size - 1 };
}

/**
 * RFC 9110 §13.1.5: an entity tag by strong comparison; a date only where it is exactly the `Last-Modified` and that is
 * a strong validator, which takes a `Date` at least a second after it (§8.8.2.2). What is neither does not hold.
 */
function ifRangeHolds(ifRange: string | null, headers: Headers): boolean {
  if (ifRange === null) return true;
  const tag = entityTag(ifRange);
  if (tag !== null) return stronglyEqual(tag, entityTag(headers.get("etag")) ?? "");
  const asked = parseHttpDate(ifRange.trim());
  const modified = parseHttpDate(headers.get("last-modified"));
  const date = parseHttpDate(headers.get("date"));
  return asked !== null && asked === modified && date !== null && date - modified >= 1000;
}
