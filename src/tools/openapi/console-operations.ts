import { MAX_BODY_BYTES } from "../../endpoints/json-body.ts";
import { BODY, GATE, type Operation } from "./operation.ts";

/** The files of the console. */
export const consoleFiles: readonly Operation[] = [
  {
    id: "console",
    method: "get",
    path: "/edge/console",
    summary: "The operators' console, a page",
    description:
      "On `CONSOLE_HOST` alone; 404 on every other host, and where the static files are not bound.",
    credentials: [],
    answers: {
      200: { description: "HTML.", schema: "text", type: "text/html", storable: true },
      304: { description: "It is as `If-None-Match` says.", schema: null, storable: true },
    },
    problems: ["NOT_FOUND", "METHOD_NOT_ALLOWED"],
  },
  {
    id: "consoleFile",
    method: "get",
    path: "/edge/console/{file}",
    summary: "A file of the console",
    description: "As `/edge/console`.",
    credentials: [],
    answers: {
      200: {
        description: "A script, a style sheet, the page itself or another file of it.",
        schema: "text",
        type: "*/*",
        storable: true,
      },
      304: { description: "It is as `If-None-Match` says.", schema: null, storable: true },
    },
    problems: ["NOT_FOUND", "METHOD_NOT_ALLOWED"],
  },
];

/** What the console asks for. */
export const consoleOperations: readonly Operation[] = [
  {
    id: "overview",
    method: "get",
    path: "/edge/overview",
    summary: "How the edge is, and what all isolates have counted lately",
    description: "Always 200: while the store is lost it has what one isolate has counted, and says so.",
    credentials: ["adminToken"],
    query: {
      minutes: { description: "Minutes of the series.", default: 60, minimum: 1, maximum: 120 },
    },
    answers: {
      200: {
        description:
          "The counts begin at the last moment that is so many minutes ago of which all is known: there is one every ten minutes.",
        schema: "Overview",
      },
    },
    problems: [...GATE, "BAD_QUERY"],
  },
  {
    id: "lookUpRoute",
    method: "post",
    path: "/edge/routes/lookup",
    summary: "Which route a method and a path have, and why",
    credentials: ["adminToken"],
    body: { schema: "RouteLookup", maxBytes: MAX_BODY_BYTES },
    answers: {
      200: { description: "The route, its rules, and why others are not it.", schema: "FoundRoute" },
    },
    problems: [...GATE, ...BODY, "BAD_LOOKUP"],
  },
  {
    id: "purges",
    method: "get",
    path: "/edge/cache/purges",
    summary: "The latest purges, newest first",
    description:
      "Those of operators, and those that requests have caused; a user appears as a hash. Seven days, 50 at most.",
    credentials: ["adminToken"],
    answers: { 200: { description: "The purges.", schema: "Purges" } },
    problems: GATE,
  },
];
