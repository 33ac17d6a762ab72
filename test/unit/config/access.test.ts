import { expect, test } from "vitest";
import { type Access, admits, CREDENTIAL_KINDS, compiledAccess } from "../../../src/config/access.ts";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";

test.each<[written: Access, compiled: Access, kinds: readonly string[]]>([
  ["public", "public", ["key", "jwt", "session"]],
  ["identified", "identified", ["key", "jwt", "session"]],
  ["session", "session", ["session"]],
  [["session"], "session", ["session"]],
  [["session", "session"], "session", ["session"]],
  [["session", "jwt", "key"], "identified", ["key", "jwt", "session"]],
  [["key"], ["key"], ["key"]],
  [["jwt", "jwt"], ["jwt"], ["jwt"]],
  [
    ["session", "jwt"],
    ["jwt", "session"],
    ["jwt", "session"],
  ],
  [
    ["session", "key"],
    ["key", "session"],
    ["key", "session"],
  ],
])("access %j is %j and admits %j", (written, compiled, kinds) => {
  expect(compiledAccess(written)).toEqual(compiled);
  expect(CREDENTIAL_KINDS.filter((kind) => admits(compiledAccess(written), kind))).toEqual(kinds);
  expect(loadConfig({}, [{ path: "/x", access: written as RouteInput["access"] }]).routes[0]?.access).toEqual(
    compiled,
  );
});

test.each<[access: unknown]>([
  [[]],
  [["public"]],
  [["identified"]],
  ["key"],
  ["jwt,session"],
  [["key", ""]],
  [null],
  [[["key"]]],
])("access %j is a configuration error that says what may stand there", (access) => {
  expect(() => loadConfig({ ROUTES: [{ path: "/x", access }] }, [])).toThrow(
    /access.*"public", "identified", "session"/s,
  );
});
