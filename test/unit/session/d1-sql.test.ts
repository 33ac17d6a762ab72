import { expect, it } from "vitest";
import { sql } from "../../../src/session/d1-sql.ts";

it("a value is a parameter, and a part stands where it is put, with its parameters in order", () => {
  const part = sql`id = ${"b"} OR ${3} < n`;
  const whole = sql`SELECT ${1}
    FROM t WHERE ${part} AND x = ${"'; DROP TABLE t; --"}`;
  expect(whole).toEqual({
    text: "SELECT ? FROM t WHERE id = ? OR ? < n AND x = ?",
    values: [1, "b", 3, "'; DROP TABLE t; --"],
  });
});

it("a part may be used twice", () => {
  const part = sql`a = ${1}`;
  expect(sql`${part} OR ${part}`).toEqual({ text: "a = ? OR a = ?", values: [1, 1] });
});
