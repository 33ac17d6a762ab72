import * as z from "zod";
import { PROBLEMS, type ProblemCode } from "../../http/problem-codes.ts";
import { version } from "../../runtime/version.ts";
import { type SchemaName, schemas } from "./answers.ts";
import type { Credential, DescribedAnswer, Operation } from "./operation.ts";
import { operations } from "./operations.ts";

/** The file, below the project's root. The binding `ASSETS` serves it at the same path. */
export const OPENAPI_FILE = "public/edge/openapi.json";

export type Json = Record<string, unknown>;

const INFO = `What the edge answers itself; every other path is your API's. \`AUTH_BASE_PATH\` and \`HEALTH_PATH\` may put \`/auth\` and \`/health\` elsewhere: the file that an edge serves has its own paths. HEAD is answered as GET, without content. A path of the edge's with a method that is not listed is a 405 below \`/edge\`, and your API's elsewhere.`;

const PARAMETERS: Record<string, Json> = {
  id: { description: "A session's id.", schema: { type: "string" } },
  user: { description: "A user's id, percent-encoded.", schema: { type: "string" } },
  caller: {
    description: "`user:<id>`, `key:<name>` or `hash:<32 hex digits>`, as the log shows it.",
    schema: { type: "string", pattern: "^((user|key):.+|hash:[0-9a-f]{32})$" },
  },
  file: { description: "The file's name.", schema: { type: "string" } },
  key: {
    description: "`hash:<32 hex digits>`: `caller` in the log.",
    schema: { type: "string", pattern: "^hash:[0-9a-f]{32}$" },
  },
};

const SECURITY: Record<Credential, Json> = {
  serviceToken: { type: "http", scheme: "bearer", description: "One of `SERVICE_TOKEN`." },
  adminToken: { type: "http", scheme: "bearer", description: "One of `ADMIN_TOKEN`." },
  metricsToken: { type: "http", scheme: "bearer", description: "One of `METRICS_TOKEN`." },
  sessionToken: { type: "http", scheme: "bearer", description: "A session's token, `es1.…`." },
  sessionCookie: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-session",
    description: "`session` on http and a loopback host.",
  },
};

const text = { schema: { type: "string" } };
/** The header fields of answers, by the names that {@link withHeaders} refers to. */
const HEADERS: Record<string, Json> = {
  "X-Request-Id": { required: true, description: "Names the request in the log.", ...text },
  "Cache-Control": { required: true, schema: { type: "string", enum: ["no-store"] } },
  "WWW-Authenticate": { required: true, ...text },
  "Retry-After": { description: "Seconds.", schema: { type: "integer" } },
  ETag: { ...text },
  "X-Session-Token": { description: "The session's new or renewed token.", ...text },
  RateLimit: { ...text },
  "RateLimit-Policy": { ...text },
};

/** The document, which is generated from the schemas that the endpoints validate with. */
export function openapiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? parametersOf(operation.path);
    paths[operation.path] = { ...path, [operation.method]: operationObject(operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Envoyou Edge", version, description: INFO, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    paths,
    components: { schemas: componentSchemas(), headers: HEADERS, securitySchemes: SECURITY },
  };
}

/** The text of the file. */
export function openapiText(): string {
  return `${JSON.stringify(openapiDocument(), null, 1)}\n`;
}

function parametersOf(path: string): Json {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  if (names.length === 0) return {};
  return { parameters: names.map((name) => ({ name, in: "path", required: true, ...PARAMETERS[name] })) };
}

function operationObject(operation: Operation): Json {
  const { id, summary, description, credentials, body, query } = operation;
  return {
    operationId: id,
    summary,
    ...(description && { description }),
    ...(query && { parameters: queryParameters(query) }),
    security: credentials.map((credential) => ({ [credential]: [] })),
    ...(body && {
      requestBody: {
        required: true,
        description: `At most ${body.maxBytes} bytes.`,
        content: { "application/json": { schema: ref(body.schema) } },
      },
    }),
    responses: responsesOf(operation),
  };
}

function queryParameters(query: NonNullable<Operation["query"]>): Json[] {
  return Object.entries(query).map(([name, { description, ...bounds }]) => {
    return { name, in: "query", description, schema: { type: "integer", ...bounds } };
  });
}

function responsesOf({ answers, problems, renews = false }: Operation): Json {
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(answers)) responses[status] = answerObject(answer, renews);
  const codes: readonly ProblemCode[] = [...problems, "CONFIG_ERROR", "INTERNAL_ERROR"];
  for (const status of new Set(codes.map((code) => PROBLEMS[code].status))) {
    const problem = problemObject(
      status,
      codes.filter((code) => PROBLEMS[code].status === status),
    );
    const other = responses[status];
    // One status may be an answer and a problem: they have different media types.
    responses[status] = other
      ? { ...problem, content: { ...(other.content as Json), ...(problem.content as Json) } }
      : problem;
  }
  return responses;
}

function answerObject(
  { description, schema, type = "application/json", otherType, storable = false }: DescribedAnswer,
  renews: boolean,
): Json {
  const names = ["X-Request-Id", ...(storable ? ["ETag"] : ["Cache-Control"])];
  if (renews) names.push("X-Session-Token", "RateLimit", "RateLimit-Policy");
  return {
    description,
    headers: headersOf(names),
    ...(schema && {
      content: {
        [type]: mediaType(schema, type),
        ...(otherType && { [otherType]: mediaType(schema, otherType) }),
      },
    }),
  };
}

function mediaType(schema: NonNullable<DescribedAnswer["schema"]>, type: string): Json {
  if (schema === "text") return { schema: { type: "string" } };
  if (schema === "any JSON") return { schema: { type: "object" } };
  // OpenAPI 3.1 has no word for the schema of a line.
  if (type === "application/x-ndjson") return { schema: { type: "string" }, "x-line": ref(schema) };
  return { schema: ref(schema) };
}

function problemObject(status: number, codes: readonly ProblemCode[]): Json {
  const names = ["X-Request-Id", "Cache-Control"];
  if (status === 401) names.push("WWW-Authenticate");
  if (status === 429 || status === 503) names.push("Retry-After");
  const schema = { allOf: [ref("Problem"), { type: "object", properties: { code: { enum: codes } } }] };
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    headers: headersOf(names),
    content: { "application/problem+json": { schema } },
  };
}

function headersOf(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function ref(name: SchemaName): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: "any",
  });
  return Object.fromEntries(
    Object.entries(made).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [id, schema]),
  );
}
