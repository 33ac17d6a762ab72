import type { Tour } from "./tour.ts";

export interface Announcement {
  edge: string;
  page: string | null;
  /** The address of the operators' console; null: none. */
  console: string | null;
  store: string;
  /** The database of the sessions; null: none. */
  database: string | null;
  origin: string;
  /** Whether the sample API answers. */
  sample: boolean;
  /** Whether `src/routes.ts` is written for the sample API. */
  sampleRoutes: boolean;
  /** The `ORIGIN_TOKEN` that is made for the run; null: the developer's file says it. */
  madeToken: string | null;
  /** The file whose variables count; null: none. */
  varsFile: string | null;
  tour: Tour;
}

/** What `npm start` prints once everything runs. */
export function announce(running: Announcement): string {
  const {
    edge,
    page,
    console: operators,
    store,
    database,
    origin,
    sample,
    sampleRoutes,
    madeToken,
    varsFile,
    tour,
  } = running;
  return [
    "",
    `  edge     ${edge}   (wrangler's development server)`,
    ...(page ? [`  page     ${page}   (routes, requests as they arrive, the tour as buttons)`] : []),
    ...(operators ? [`  console  ${operators}   (for operators; its token is ADMIN_TOKEN below)`] : []),
    `  store    ${store}`,
    ...(database ? [`  database ${database}`] : []),
    `  origin   ${origin}`,
    // An API that refuses whoever does not come through the edge answers 403 to every request until it has the same.
    ...(sample || madeToken === null
      ? []
      : [
          `  token    ${madeToken}   (X-Edge-Token, new in each run; your API's own: ORIGIN_TOKEN=… in .dev.vars)`,
        ]),
    `  routes   src/routes.ts   (${!sample && sampleRoutes ? "written for the sample API; " : ""}edit it: the edge reloads)`,
    `  secrets  made for this run${varsFile ? `, but for those in ${varsFile}` : ""}`,
    "",
    "A tour. Paste the lines into another terminal, one after the other:",
    "",
    `  ${tour.preamble}`,
    ...tour.stops.flatMap(({ says, shell }, index) => ["", `  # ${index + 1}. ${says}`, `  ${shell}`]),
    "",
    "Next:",
    ...(sample
      ? ["  your own API        npm start -- --origin http://localhost:4000"]
      : ["  your routes         src/routes.ts; docs/routes.md says what a route may have"]),
    "  what your API gets  docs/your-api.md",
    "  check and deploy    npm run check, then docs/operating.md#deploying",
    "",
    "Ctrl-C stops everything. Every request's log line: npm start -- --verbose",
  ].join("\n");
}
