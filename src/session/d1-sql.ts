/** What a parameter of a statement may be. */
export type SqlValue = string | number;

/** A statement of SQL, or a part of one, with its parameters in order. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/**
 * Writes SQL. A value becomes a parameter; a part of SQL is put in where it stands.
 *
 * @example sql`SELECT text FROM session_records WHERE id = ${id} AND ${notEnded}`
 */
export function sql(texts: TemplateStringsArray, ...given: readonly (SqlValue | Sql)[]): Sql {
  let text = texts[0] ?? "";
  const values: SqlValue[] = [];
  given.forEach((each, index) => {
    const isPart = typeof each === "object";
    text += (isPart ? each.text : "?") + (texts[index + 1] ?? "");
    values.push(...(isPart ? each.values : [each]));
  });
  return { text: text.replace(/\s+/g, " ").trim(), values };
}
