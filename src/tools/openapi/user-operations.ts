import { MAX_BODY_BYTES } from "../../endpoints/json-body.ts";
import type { SchemaName } from "./answers.ts";
import { BODY, GATE, type Operation } from "./operation.ts";

const operators = { credentials: ["adminToken"] } as const;
const reached = (schema: SchemaName) => ({
  200: { description: "It is done.", schema },
  202: {
    description: "The store is lost: it holds in this isolate; each part says what is to come.",
    schema,
  },
});

/** What an operator does for one user. */
export const userOperations: readonly Operation[] = [
  {
    ...operators,
    id: "signOut",
    method: "post",
    path: "/edge/users/sign-out",
    summary: "End all sessions of a user, or of everyone",
    body: { schema: "UserOrEveryone", maxBytes: MAX_BODY_BYTES },
    answers: reached("SignedOut"),
    problems: [...GATE, ...BODY, "UNKNOWN_CALLER", "SESSIONS_NOT_CONFIGURED", "ENDING_NOT_KEPT"],
  },
  {
    ...operators,
    id: "exportUser",
    method: "post",
    path: "/edge/users/export",
    summary: "What is kept about a user: sessions and limits",
    body: { schema: "OneUser", maxBytes: MAX_BODY_BYTES },
    answers: { 200: { description: "What is known; `complete` says whether that is all.", schema: "User" } },
    problems: [...GATE, ...BODY, "UNKNOWN_CALLER"],
  },
  {
    ...operators,
    id: "deleteUser",
    method: "post",
    path: "/edge/users/delete",
    summary: "End a user's sessions, forget the limits, withdraw the stored answers of the user's own",
    body: { schema: "OneUser", maxBytes: MAX_BODY_BYTES },
    answers: reached("DeletedUser"),
    problems: [...GATE, ...BODY, "UNKNOWN_CALLER"],
  },
];
