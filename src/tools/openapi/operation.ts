import type { ProblemCode } from "../../http/problem-codes.ts";
import type { SchemaName } from "./answers.ts";

/** Who may call an operation. Each of the list is enough; an empty list: anybody. */
export type Credential = "serviceToken" | "adminToken" | "metricsToken" | "sessionToken" | "sessionCookie";

/** An answer that is no problem. */
export interface DescribedAnswer {
  description: string;
  /** The schema of its JSON; of each line, where `type` is `application/x-ndjson`; null where it has no body. */
  schema: SchemaName | "any JSON" | "text" | null;
  /** Default `application/json`. */
  type?: string;
  /** Another one, which `Accept` may prefer. */
  otherType?: string;
  /** Whether it may be stored. Default false: it has `Cache-Control: no-store`. */
  storable?: boolean;
}

export interface Operation {
  id: string;
  method: "get" | "post" | "delete";
  path: string;
  summary: string;
  description?: string;
  credentials: readonly Credential[];
  /** The parameters of its query, each a number. */
  query?: Readonly<
    Record<string, { description: string; default: number; minimum: number; maximum: number }>
  >;
  /** The schema of its body. */
  body?: { schema: SchemaName; maxBytes: number };
  /** By status. */
  answers: Readonly<Record<number, DescribedAnswer>>;
  /** The session's renewed token may come with the answer. */
  renews?: boolean;
  problems: readonly ProblemCode[];
}

/** What a token that opens nothing is answered. */
export const GATE: ProblemCode[] = ["NOT_FOUND", "TOKEN_REQUIRED", "TOO_MANY_FAILURES"];
/** What any body may be refused with. */
export const BODY: ProblemCode[] = [
  "CONTENT_BROKEN_OFF",
  "CONTENT_STALLED",
  "CONTENT_TOO_LARGE",
  "UNSUPPORTED_CONTENT",
];
