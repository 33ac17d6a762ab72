import { readFileSync } from "node:fs";
import * as z from "zod";
import { OPENAPI_FILE } from "../../../src/tools/openapi/document.ts";

/** An answer of the edge, read to its end. */
export interface GivenAnswer {
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  headers: Headers;
  body: string;
}

/** Where the edge has its own paths. */
export interface Bases {
  auth: string;
  health: string;
}

export const DEFAULT_BASES: Bases = { auth: "/auth", health: "/health" };

interface Described {
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { schema: z.core.JSONSchema.JSONSchema; "x-line"?: z.core.JSONSchema.JSONSchema }>;
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Described> }>>;
  components: { headers: Record<string, { required?: boolean; schema: z.core.JSONSchema.JSONSchema }> };
}

/**
 * Holds answers to the OpenAPI document.
 *
 * @returns what is not described, or null where the document has no such operation: then the answer is not the edge's, or a refusal of
 *   a method that no path has.
 */
export function describedBy(text = readFileSync(OPENAPI_FILE, "utf8"), bases = DEFAULT_BASES) {
  const document = JSON.parse(text) as Document;
  const templates = Object.keys(document.paths)
    // A path without parameters is meant before one that they could fill.
    .sort((one, other) => one.split("{").length - other.split("{").length)
    .map((template) => ({ template, pattern: patternOf(template) }));
  const known = new Map<string, z.ZodType>();

  function schemaOf(schema: z.core.JSONSchema.JSONSchema): z.ZodType {
    const key = JSON.stringify(schema);
    const made =
      known.get(key) ?? z.fromJSONSchema(inlined(schema, document) as z.core.JSONSchema.JSONSchema);
    known.set(key, made);
    return made;
  }

  function issuesOf(schema: z.core.JSONSchema.JSONSchema, json: string): string[] {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      return [`no JSON: ${json.slice(0, 200)}`];
    }
    const { error } = schemaOf(schema).safeParse(value);
    return error ? [`${z.prettifyError(error)}: ${json.slice(0, 500)}`] : [];
  }

  function operationOf(method: string, path: string) {
    const written = withDefaults(path, bases);
    const name = method === "HEAD" ? "get" : method.toLowerCase();
    const matching = templates.filter(({ pattern }) => pattern.test(written));
    return matching.map(({ template }) => document.paths[template]?.[name]).find(Boolean);
  }

  return function undescribed({ method, path, status, headers, body }: GivenAnswer): string[] | null {
    const operation = operationOf(method, path);
    if (!operation) return null;
    const described = operation.responses[status];
    if (!described) return [`status ${status}: ${body.slice(0, 300)}`];
    const issues: string[] = [];
    for (const name of Object.keys(described.headers ?? {})) {
      const { required = false, schema } = document.components.headers[name] ?? { schema: {} };
      const value = headers.get(name);
      if (value === null && required) issues.push(`no field ${name}`);
      if (value === null) continue;
      const fits = schemaOf(schema).safeParse(schema.type === "integer" ? Number(value) : value).success;
      if (!fits) issues.push(`${name}: ${value}`);
    }
    const type = headers.get("content-type")?.split(";")[0] ?? "";
    if (!described.content) return body === "" ? issues : [...issues, `a body: ${body.slice(0, 200)}`];
    const media = described.content[type] ?? described.content["*/*"];
    if (!media) return [...issues, `Content-Type: ${type}`];
    const line = media["x-line"];
    if (method === "HEAD" || (media.schema.type === "string" && !line)) return issues;
    if (!line) return [...issues, ...issuesOf(media.schema, body)];
    return [
      ...issues,
      ...body
        .trim()
        .split("\n")
        .flatMap((each) => issuesOf(line, each)),
    ];
  };
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}/?$`);
}

function withDefaults(path: string, { auth, health }: Bases): string {
  for (const [base, written] of [
    [auth, DEFAULT_BASES.auth],
    [health, DEFAULT_BASES.health],
  ] as const) {
    if (path === base || path.startsWith(`${base}/`)) return written + path.slice(base.length);
  }
  return path;
}

/** The schema with what it refers to in its place. */
function inlined(schema: unknown, document: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((each) => inlined(each, document));
  if (typeof schema !== "object" || schema === null) return schema;
  if ("$ref" in schema && typeof schema.$ref === "string") {
    const steps = schema.$ref.replace(/^#\//, "").split("/");
    return inlined(
      steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document),
      document,
    );
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, inlined(value, document)]));
}
