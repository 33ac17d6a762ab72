import type { DatabaseResult } from "./run.ts";

const HEADING = "## Sessions with a database and without";

/** The section of RESULTS.md. */
export function databaseReport(results: readonly DatabaseResult[]): string {
  const missed = results.filter(({ misses }) => misses.length > 0);
  const sessions = results[0]?.made ?? 0;
  return [
    HEADING,
    "",
    `Two isolates in processes of their own over one Redis and, in the rows *with*, one D1 of Miniflare's as \`SESSION_DB\`. ${sessions}`,
    "sessions are made before the outage, some of them ended, and as many during it at both isolates; of all these one in five is ended",
    "by one isolate, which is then killed. Everybody makes requests during the outage, while Redis comes back, after that, and once",
    "more at two new isolates.",
    "",
    "- *kept*: sessions made during the outage whose tokens need not carry them. *200*: ends of the outage that were answered with 200.",
    "- *lost*: sessions that live and were refused: those that the database had when the isolate was killed + the others.",
    "- *honoured*: sessions that were accepted after their end: where the database had that + the others. Where one isolate alone loses",
    "  Redis, an end holds at the other after 10 s; *within 10 s* are those accepted before. *unknown*: those accepted while neither Redis",
    "  nor the database answered in time: nobody could know, and all is as without a database.",
    "- A 200 is a miss where the database has not the end. Another answer is one, unless a call to the database was *late* at that time:",
    "  it took three quarters of its deadline or more without a fault, on a busy machine.",
    "- *doubled*: users who were listed with a session twice.",
    "",
    ...(missed.length === 0 ? [`All ${results.length} rows passed.`] : []),
    ...missed.map(
      ({ outage, withDatabase, misses }) =>
        `- **${outage.name}** ${word(withDatabase)} missed: ${misses.join("; ")}`,
    ),
    "",
    "| outage | what happens | database | kept | 200 | late | lost | honoured | within 10 s | unknown | doubled | Redis found |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ...results.map(row),
    "",
  ].join("\n");
}

function row({
  outage,
  withDatabase,
  made,
  kept,
  ended,
  answered200,
  lost,
  honoured,
  ...rest
}: DatabaseResult): string {
  const { doubled, late, recoveredMs } = rest;
  const columns = [
    outage.name,
    outage.what,
    word(withDatabase),
    `${kept} of ${made}`,
    `${answered200} of ${ended}`,
    `${late}`,
    `${lost.told} + ${lost.others}`,
    `${honoured.told} + ${honoured.others}`,
    outage.lost === "one" ? `${honoured.withinBound}` : "–",
    outage.during || outage.afterwards || honoured.unknowable > 0 ? `${honoured.unknowable}` : "–",
    `${doubled}`,
    recoveredMs === null ? "–" : `${recoveredMs} ms`,
  ];
  return `| ${columns.join(" | ")} |`;
}

const word = (withDatabase: boolean) => (withDatabase ? "with" : "without");

/** The report with this section in the place of the one it has, or at its end. */
export function withDatabaseSection(report: string, section: string): string {
  const from = report.indexOf(HEADING);
  if (from < 0) return `${report.trimEnd()}\n\n${section}`;
  const next = report.indexOf("\n## ", from + HEADING.length);
  return `${report.slice(0, from)}${section}${next < 0 ? "" : report.slice(next)}`;
}
