import { expect, it } from "vitest";
import { ConfigError } from "../../../../src/config/config-error.ts";
import { startUpstashLocal } from "../../../../src/tools/upstash-local/start.ts";

it.each<[place: string, options: unknown[]]>([
  ["startUpstashLocal", [null, 5, "x", true, [], Promise.resolve({})]],
  ["startUpstashLocal: redis", [null, "", "nope", 5, {}, [], true].map((redis) => ({ redis }))],
  ["startUpstashLocal: port", [null, "", "8079", -1, 65_536, 1.5, Number.NaN, {}].map((port) => ({ port }))],
  ["startUpstashLocal: token", [null, "", " ", "a b", 5, {}, [], true].map((token) => ({ token }))],
  ["startUpstashLocal: env", [null, "x", 5, [], true].map((env) => ({ env }))],
  ["startUpstashLocal: rules", [null, "x", 5, {}, [5], [null]].map((rules) => ({ rules }))],
  ["startUpstashLocal: prot", [{ prot: 8079 }]],
])("names %s, and starts nothing", async (place, many) => {
  for (const options of many) {
    const error = await startUpstashLocal(options as never).catch((thrown: unknown) => thrown);
    expect(error, JSON.stringify(options)).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map((issue) => issue.place)).toContain(place);
  }
});
