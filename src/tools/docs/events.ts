import type { Field } from "../../events/fields.ts";
import { type EventDefinition, eventTable } from "../../events/table.ts";

/** The page that shows the table of events, between `<!-- events -->` and `<!-- /events -->`. */
export const EVENTS_PAGE = "docs/architecture.md";

/**
 * The text of a page with the table of events as it is now.
 *
 * @throws Error where the page has no place for it.
 */
export function withEvents(page: string): string {
  const place = /(<!-- events[^>]*-->\n)[\s\S]*?(<!-- \/events -->)/;
  if (!place.test(page)) throw new Error(`${EVENTS_PAGE} has no <!-- events --> and <!-- /events -->.`);
  return page.replace(place, (_all, begin: string, end: string) => `${begin}\n${eventsMarkdown()}\n${end}`);
}

/** The table of events as Markdown. */
export function eventsMarkdown(table: Readonly<Record<string, EventDefinition>> = eventTable): string {
  const rows = Object.entries(table).map(([name, { level, levelOf5xx, description, fields }]) => {
    const levels = levelOf5xx === undefined ? level : `${level}; ${levelOf5xx} from status 500`;
    const list = Object.entries(fields).map(([field, kind]) => `\`${field}\` ${described(kind)}`);
    return `| \`${name}\` | ${levels} | ${list.join(", ") || "none"} | ${cell(description ?? "")} |`;
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
