import { covers, readPattern, splitSegments } from "../../config/path-pattern.ts";
import type { Route } from "../../config/route.ts";
import { nearest } from "./nearest.ts";

/** What of a list of routes works and is often not meant. */
export function routeWarnings(routes: readonly Route[]): string[] {
  return [...literals(routes), ...unknownMethods(routes), ...openMethods(routes)];
}

/** `/items:id` (Express reads a parameter) and `/$id` (Remix, TanStack): names in APIs too (`items:cancel`, `$metadata`), so that they are no issue. */
function literals(routes: readonly Route[]): string[] {
  return routes.flatMap(({ name, path }) =>
    (splitSegments(path) ?? [])
      .filter((segment) => /^[^:{}]+:\w|^\$\w/.test(segment))
      .map(
        (segment) =>
          `The route ${JSON.stringify(name)} matches the very text "${segment}". A parameter is a segment of its own that begins with a colon: /:id.`,
      ),
  );
}

/** The methods that reach a Worker: workerd answers any other itself, with a 501. */
const REACHING_METHODS = [
  ..."GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY PURGE BAN".split(" "),
  ..."COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK ACL REPORT MKACTIVITY".split(" "),
  ..."CHECKOUT MERGE NOTIFY SUBSCRIBE UNSUBSCRIBE".split(" "),
];

/** A route whose limits and whose `access` hold for nobody. */
function unknownMethods(routes: readonly Route[]): string[] {
  return routes.flatMap(({ name, methods }) =>
    methods
      .filter((method) => !REACHING_METHODS.includes(method))
      .map((method) => {
        const meant = nearest(method, REACHING_METHODS).join(" or ");
        return `The route ${JSON.stringify(name)}: no request has the method ${method}${meant && `: did you mean ${meant}?`}`;
      }),
  );
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Routes that ask who calls, for some methods of a path whose others no route has: those pass to the API unasked. */
function openMethods(routes: readonly Route[]): string[] {
  return routes.flatMap(({ name, path, access, methods }) => {
    if (access === "public" || methods.length === 0) return [];
    const pattern = readPattern(path);
    const beside = routes.filter((each) => covers(readPattern(each.path), pattern));
    const open = METHODS.filter((method) =>
      beside.every((each) => each.methods.length > 0 && !each.methods.includes(method)),
    );
    if (open.length === 0) return [];
    return [
      `The route ${JSON.stringify(name)} asks who calls, and no route has ${open.join(", ")} of its path: such a request passes to your API unasked. Leave methods out, or give these a route.`,
    ];
  });
}
