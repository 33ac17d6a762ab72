import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isTable, type Table } from "./wrangler-file.ts";

/** As much of JSON Schema as wrangler's `config-schema.json` uses. */
interface Schema {
  type?: string;
  $ref?: string;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  description?: string;
}

/** A name that wrangler does not expect where it stands. */
export interface UnexpectedName {
  /** The tables around it: `["env", "staging", "observability"]`. */
  tables: string[];
  name: string;
  value: unknown;
  /** What wrangler would expect there; null where a table takes any name, as `[vars]` does. */
  expected: string[] | null;
}

const folder = dirname(createRequire(import.meta.url).resolve("wrangler/package.json"));
const { definitions } = JSON.parse(readFileSync(join(folder, "config-schema.json"), "utf8")) as {
  definitions: Record<string, Schema>;
};
const root: Schema = definitions.RawConfig ?? {};
const environment: Schema = definitions.RawEnvironment ?? {};

/** The names that may stand above the first table. */
export const topLevelNames: readonly string[] = Object.keys(root.properties ?? {});

/** The names that an environment does not take over from the top level. */
export const notInherited: readonly string[] = Object.entries(environment.properties ?? {})
  .filter(([, { description = "" }]) => /not automatically inherited/.test(description))
  .map(([name]) => name);

/** Whether a value is of the kind that wrangler expects under a name of the top level. */
export function fitsTopLevel(name: string, value: unknown): boolean {
  const actual = Array.isArray(value) ? "array" : typeof value;
  return kindsOf(root.properties?.[name] ?? {}).includes(actual);
}

function kindsOf(schema: Schema): (string | undefined)[] {
  return variants(schema).map(({ type, properties }) => type ?? (properties && "object"));
}

/** The schemas that a value may fit, references resolved. */
function variants(schema: Schema): Schema[] {
  const { $ref, anyOf } = schema;
  if ($ref !== undefined)
    return variants(definitions[decodeURIComponent($ref.split("/").at(-1) ?? "")] ?? {});
  return anyOf ? anyOf.flatMap(variants) : [schema];
}

/** Every name of a configuration that wrangler would ignore, and every one in a table that takes any name. */
export function unexpectedNames(raw: Table): UnexpectedName[] {
  return inTable(raw, [root], []);
}

function inTable(table: Table, schemas: Schema[], tables: string[]): UnexpectedName[] {
  const objects = schemas.filter(({ type, properties }) => type === "object" || properties !== undefined);
  if (objects.length === 0) return [];
  const takesAny = objects.some(({ additionalProperties: more }) => more !== false);
  const expected = objects.flatMap(({ properties = {} }) => Object.keys(properties));
  return Object.entries(table).flatMap(([name, value]) => {
    const own = objects.flatMap(({ properties, additionalProperties: more }) => {
      const schema = properties?.[name] ?? (typeof more === "object" ? more : undefined);
      return schema === undefined ? [] : variants(schema);
    });
    const isNamed = expected.includes(name);
    return [
      ...(isNamed ? [] : [{ tables, name, value, expected: takesAny ? null : expected }]),
      ...(isNamed || takesAny ? within(value, own, [...tables, name]) : []),
    ];
  });
}

function within(value: unknown, schemas: Schema[], tables: string[]): UnexpectedName[] {
  if (isTable(value)) return inTable(value, schemas, tables);
  if (!Array.isArray(value)) return [];
  const items = schemas.flatMap(({ items: each }) => (each ? variants(each) : []));
  return value.filter(isTable).flatMap((each) => inTable(each, items, tables));
}
