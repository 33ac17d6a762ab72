import type { Operation } from "./operation.ts";

/** The console, and what it alone asks for. */
export const consoleOperations: Operation[] = [
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
