// Asks which route a method and a path match, and why.

import { call } from "./api.js";
import { at, make } from "./dom.js";
import { number, plural, span } from "./format.js";
import { act } from "./said.js";

const form = at("match-form");

const ACCESS = {
  public: "anybody",
  session: "whoever has a session",
};

async function match() {
  const method = at("match-method").value.trim().toUpperCase();
  const { body } = await call("POST", "/edge/routes/lookup", { method, path: at("match-path").value });
  return shown(body);
}

function shown(body) {
  const { method, path, route, owned, because, not = [] } = body;
  const none = owned ? "The edge answers it itself, whatever the routes say." : "No route matches.";
  const title = route === null ? none : ["It matches ", make("code", {}, route), "."];
  const others = `${plural(not.length, "other route")} ${not.length === 1 ? "does" : "do"} not match`;
  return [
    make("p", {}, make("strong", {}, title), ` Read as `, make("code", {}, `${method} ${path}`)),
    owned ? null : make("p", {}, because),
    body.refused ? make("p", { class: "bad" }, `Such a request is refused: ${body.refused}`) : null,
    route === null ? null : described(body),
    not.length === 0 ? null : make("details", {}, make("summary", {}, `Why ${others}`), reasons(not)),
  ].filter(Boolean);
}

function reasons(not) {
  return make(
    "ul",
    {},
    not.map(({ route, reason }) => make("li", {}, make("code", {}, route), ` ${reason}`)),
  );
}

function described({ access, limits = [], cache, params = {}, on_store_failure: onFailure }) {
  const terms = [
    ["Open to", ACCESS[access] ?? access],
    [
      "Parameters",
      Object.entries(params)
        .map(([name, value]) => `${name} = ${value}`)
        .join(", "),
    ],
    ["Limits", limits.length === 0 ? "none" : null, limits.map(limitText)],
    ["Cache", cache === null ? "none" : cacheText(cache)],
    ["While Redis is away", onFailure],
  ];
  return make(
    "dl",
    { class: "facts" },
    terms
      .filter(([, text, lines]) => text || lines?.length > 0)
      .map(([term, text, lines = []]) =>
        make(
          "div",
          {},
          make("dt", {}, term),
          make(
            "dd",
            {},
            text ??
              make(
                "ul",
                { class: "plain" },
                lines.map((line) => make("li", {}, line)),
              ),
          ),
        ),
      ),
  );
}

function limitText({ name, limit, window, by, tier, shadow, shared }) {
  const notes = [
    tier ? `tier ${tier}` : null,
    by === "address" ? "by address" : null,
    shadow ? "shadow" : null,
    shared ? "shared" : null,
  ];
  const noted = notes.filter(Boolean).join(", ");
  const length = typeof window === "number" ? span(window) : String(window);
  return `${name}: ${number(limit)} per ${length}${noted ? ` (${noted})` : ""}`;
}

function cacheText({ scope, ttl, stale_while_revalidate: revalidate, stale_if_error: onError, tags = [] }) {
  const parts = [
    `scope ${scope}`,
    ttl === null || ttl === undefined
      ? "as long as your API says"
      : `${span(ttl * 1000)} where your API says nothing`,
    revalidate ? `${span(revalidate * 1000)} more while it is fetched anew` : null,
    onError ? `${span(onError * 1000)} more while your API fails` : null,
    tags.length > 0 ? `tags ${tags.join(", ")}` : null,
  ];
  return parts.filter(Boolean).join(", ");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, at("match-result"), match);
});
