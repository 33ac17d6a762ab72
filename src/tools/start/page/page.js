// Everything that comes from requests is written as text, never as markup.

const MAX_ROWS = 200;
const at = (id) => document.getElementById(id);
const rows = new Map();

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A cell. On a narrow screen its label stands before it. */
const cell = (label, text, className = "") =>
  element("td", text, { "data-label": label, ...(className && { class: className }) });

function statusClass(status) {
  if (status >= 500) return "bad";
  return status >= 400 ? "warn" : "good";
}

function showRequest(entry) {
  const row = element("tr");
  const request = cell("", `${entry.method} ${entry.path ?? "…"}`, "wide mono");
  if (entry.path === null)
    request.title = "Requests of several paths ran at once: which of them this was is not known.";
  // `*` is what no route matches, the edge's own paths among it.
  if (entry.route !== "*") request.append(element("span", `  ${entry.route}`, { class: "quiet" }));
  row.append(
    cell("", new Date(entry.at).toTimeString().slice(0, 8), "quiet"),
    request,
    cell("Status", String(entry.status), statusClass(entry.status)),
    cell("Verdict", entry.verdict, entry.verdict === "allowed" ? "" : "warn"),
    cell("Cache", entry.cache ?? "", entry.cache === "hit" ? "good" : ""),
    cell("Store calls", entry.storeCalls > 0 ? `${entry.storeCalls} (${entry.storeMs} ms)` : "0", "number"),
    cell("Time taken", `${entry.totalMs} ms`, "number"),
  );
  const before = rows.get(entry.id);
  if (before) before.replaceWith(row);
  else at("rows").prepend(row);
  rows.set(entry.id, row);
  if (rows.size > MAX_ROWS) {
    const [oldest, last] = rows.entries().next().value;
    last.remove();
    rows.delete(oldest);
  }
  at("none").hidden = true;
}

function showRoutes(routes) {
  at("routes").replaceChildren(
    ...routes.map((route) => {
      const row = element("tr");
      row.append(
        cell("", route.path, "wide mono"),
        cell("Methods", route.methods.join(", ") || "all"),
        cell("Access", route.access),
        cell("Limits", route.limits.join("; "), "wide grow"),
        cell("Cache", route.cache),
        cell("Session", route.session),
      );
      return row;
    }),
  );
}

async function runStop(button, index) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const answer = at("answer");
  try {
    const response = await fetch(`/tour/${index}`, { method: "POST" });
    answer.textContent = await response.text();
  } catch {
    answer.textContent = "npm start does not answer.";
  }
  answer.hidden = false;
  button.removeAttribute("aria-disabled");
}

function showTour(stops) {
  at("tour").replaceChildren(
    ...stops.map(({ says, shell }, index) => {
      const button = element("button", `${index + 1}. ${says}`, { type: "button", title: shell });
      button.addEventListener("click", () => runStop(button, index));
      const item = element("li");
      item.append(button);
      return item;
    }),
  );
}

function showAbout({ edge, origin, store, console: operators }) {
  const link = element("a", edge, { href: edge });
  const more = operators ? [" ", element("a", "The operators' console", { href: operators })] : [];
  at("about").replaceChildren(link, `, in front of ${origin}. Store: ${store}.`, ...more);
}

function showProblem(text) {
  at("problem").textContent = text ?? "";
  at("problem").hidden = text === null;
}

at("clear").addEventListener("click", () => {
  rows.clear();
  at("rows").replaceChildren();
  at("none").hidden = false;
});

const shows = {
  request: showRequest,
  routes: showRoutes,
  tour: showTour,
  about: showAbout,
  problem: showProblem,
};
const events = new EventSource("/events");
for (const [name, show] of Object.entries(shows)) {
  events.addEventListener(name, ({ data }) => show(JSON.parse(data)));
}
events.addEventListener("open", () => {
  at("state").textContent = "";
});
events.addEventListener("error", () => {
  at("state").textContent = "npm start does not answer. This page goes on when it runs again.";
});
