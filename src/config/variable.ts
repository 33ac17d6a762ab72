/** `must set`: nothing works well without it. `often`: many deployments choose it. `rarely`: the default is right. */
export type VariableGroup = "must set" | "often" | "rarely";

interface Described {
  group: VariableGroup;
  /** One plain sentence, for `docs/configuration.md`. */
  description: string | undefined;
  /** The Python service's name of this variable. It works, and a warning says to rename it. */
  formerly?: string;
}

export type Variable = Described &
  (
    | { kind: "text"; default?: string; ascii?: boolean }
    /** A single secret. It travels in a header field, so it is visible ASCII (RFC 9110 §5.5). */
    | { kind: "secret" }
    /** Comma separated, newest first. `token`: it travels in a header field. `key`: it is an HMAC key, and stays here. */
    | { kind: "secrets"; use: "token" | "key"; min: number }
    | { kind: "keys" }
    | { kind: "list" }
    | { kind: "integer"; default: number; min: number; max: number; unit?: string }
    | { kind: "boolean"; default: boolean }
    | { kind: "choice"; choices: readonly string[]; default: string }
    /** `query`: the address may have one. */
    | { kind: "url"; query?: true }
    | { kind: "path"; default: string }
    | { kind: "binding"; to: "service" | "D1 database" | "folder of static files" | "version's metadata" }
    | { kind: "routes" }
  );

/** What a reader makes of a variable. */
export type ValueOf<V extends Variable> = V extends { kind: "integer" }
  ? number
  : V extends { kind: "boolean" }
    ? boolean
    : V extends { kind: "choice"; choices: readonly (infer Choice)[] }
      ? Choice
      : V extends { kind: "text" | "path"; default: string }
        ? string
        : V extends { kind: "text" | "secret" | "keys" }
          ? string | null
          : V extends { kind: "secrets" | "list" }
            ? string[]
            : V extends { kind: "url" }
              ? URL | null
              : unknown;
