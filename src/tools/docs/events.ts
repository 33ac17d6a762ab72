import type { Field } from "../../events/fields.ts";
import { type EventDefinition, eventTable } from "../../events/table.ts";

/** The table of events as Markdown, for `docs/architecture.md`, between `<!-- events -->` and `<!-- /events -->`. */
export function eventsMarkdown(table: Readonly<Record<string, EventDefinition>> = eventTable): string {
  const rows = Object.entries(table).map(([name, { level, levelOf5xx, description, fields }]) => {
    const levels = levelOf5xx === undefined ? level : `${level}; ${levelOf5xx} from status 500`;
    const list = Object.entries(fields).map(([field, kind]) => `\`${field}\` ${described(kind)}`);
    return `| \`${name}\` | ${levels} | ${list.join(", ") || "none"} | ${cell(description)} |`;
  });
  return ["| event | level | fields | when |", "|---|---|---|---|", ...rows, ""].join("\n");
}

/** `hash`, or the words where they are few; a question mark where the field may be missing or null. */
function described(field: Field<unknown> & { optional?: true }): string {
  const type = field.words ? `(${field.words.join(" · ")})` : field.kind;
  return cell(field.optional ? `${type}?` : type);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
