import type { CountedWays } from "./counts.ts";
import type { Outage } from "./outages.ts";
import type { Counts } from "./running-app.ts";
import { MAX_WAIT_MS } from "./running-app.ts";
import type { Timed } from "./timed.ts";

/** The page that shows the tables, each between `<!-- NAME -->` and `<!-- /NAME -->`. */
export const PAGE = "docs/compared.md";

/** The row whose figures a test holds to a bound: packages of the registry may change them. */
export const SIZE = "gzipped, beyond the app without it";

/** @throws Error where the page has no such place. */
export function withTable(page: string, name: string, table: string): string {
  if (!placeOf(name).test(page)) throw new Error(`${PAGE} has no <!-- ${name} --> and <!-- /${name} -->.`);
  return page.replace(placeOf(name), (_all, begin: string, _old: string, end: string) =>
    [begin, table, end].join("\n"),
  );
}

/** The table that the page shows. */
export function tableIn(page: string, name: string): string {
  return placeOf(name).exec(page)?.[2]?.trim() ?? "";
}

const placeOf = (name: string) => new RegExp(`(<!-- ${name}[^>]*-->)\\n([\\s\\S]*?)\\n?(<!-- /${name} -->)`);

export function limitsTable({ limits }: CountedWays): string {
  return table(
    limits.map(([way]) => way.name),
    {
      "lines that one writes": limits.map(([, { lines }]) => String(lines)),
      [SIZE]: limits.map(([, { gzipped }]) => kilobytes(gzipped)),
      "a request within the limit": limits.map(([, { admitted }]) => costs(admitted)),
      "a request of a blocked caller": limits.map(([, { blocked }]) => costs(blocked)),
      "the app's own 429": limits.map(([, { ownBody }]) => yes(ownBody)),
      "fields of that 429": limits.map(([, { fields }]) => fields.map((name) => `\`${name}\``).join(", ")),
      "of 20 at once at a limit of 5, admitted": limits.map(([, { admittedAtOnce }]) =>
        String(admittedAtOnce),
      ),
      "two middlewares with one key and nothing else said": limits.map(([, { apart }]) =>
        apart ? "two counts" : "one count",
      ),
    },
  );
}

export function appTable({ apps }: CountedWays): string {
  return table(
    apps.map(([way]) => way.name),
    {
      "lines that one writes": apps.map(([, { lines }]) => String(lines)),
      [SIZE]: apps.map(([, { gzipped }]) => kilobytes(gzipped)),
      "`/orders`: limit and session": apps.map(([, { orders }]) => costs(orders)),
      "`/report`: limit, session, nothing stored": apps.map(([, { cold }]) => costs(cold)),
      "`/report`: limit, session, stored": apps.map(([, { warm }]) => costs(warm)),
      "the second `/report` is the stored one": apps.map(([, { isStored }]) => yes(isStored)),
    },
  );
}

/** Of the requests one after the other. */
const SHOWN = [1, 2, 4, 8];

export function outagesTable(outages: readonly Outage[]): string {
  const of = (state: Outage["state"], app: string) => {
    const answers = outages.find((each) => each.state === state && each.way.app === app)?.answers ?? [];
    return SHOWN.flatMap((number) => answers.slice(number - 1, number)).map(attempt);
  };
  const ways = [...new Set(outages.map(({ way }) => way))];
  return [
    `| app | Redis | ${SHOWN.map((number) => `request ${number}`).join(" | ")} |`,
    `|---|---|${SHOWN.map(() => "---|").join("")}`,
    ...ways.flatMap(({ name, app }) =>
      (["hanging", "refused"] as const).map(
        (state) =>
          `| ${name} | ${state === "hanging" ? "hangs" : "refuses"} | ${of(state, app).join(" | ")} |`,
      ),
    ),
  ].join("\n");
}

export function timedTable(timed: readonly Timed[]): string {
  const seconds = (of: (each: Timed) => number) => timed.map((each) => `${(of(each) / 1000).toFixed(1)} s`);
  return table(
    timed.map(({ way }) => way.name),
    {
      "lines that one writes": timed.map(({ lines }) => String(lines)),
      "packages that one installs": timed.map(({ way }) => String(way.packages.length)),
      "install, with an empty cache": seconds(({ install }) => install),
      "type check": seconds(({ types }) => types),
      "bundle, start, first answer": seconds(({ firstAnswer }) => firstAnswer),
      "until the app's own 429": seconds(({ limited }) => limited),
      "all of it": seconds(
        ({ install, types, firstAnswer, limited }) => install + types + firstAnswer + limited,
      ),
    },
  );
}

function table(ways: readonly string[], rows: Record<string, readonly string[]>): string {
  return [
    `| | ${ways.join(" | ")} |`,
    `|---|${ways.map(() => "---|").join("")}`,
    ...Object.entries(rows).map(([name, cells]) => `| ${name} | ${cells.join(" | ")} |`),
  ].join("\n");
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
const yes = (is: boolean) => (is ? "yes" : "no");
const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

function costs({ before, calls, commands }: Counts): string {
  const after = calls - before;
  const waits = `${plural(before, "call")}${after > 0 ? ` + ${after} after the answer` : ""}`;
  return `${waits}, ${plural(commands, "command")}`;
}

function attempt({ status, ms }: Outage["answers"][number]): string {
  if (status === 0) return `none in ${MAX_WAIT_MS / 1000} s`;
  return ms < 1000 ? `${status}, ${Math.round(ms)} ms` : `${status}, ${(ms / 1000).toFixed(1)} s`;
}
