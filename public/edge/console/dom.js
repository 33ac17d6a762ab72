// Whatever the edge answers is written as text, never as markup.

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/**
 * Makes an element.
 *
 * @param attributes Left out where they are null or false; `true` is the empty text.
 * @param children Texts and nodes; null is nothing.
 * @example make("p", { class: "quiet" }, "Nothing yet.")
 */
export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Writes a text where it differs, so that a screen reader says it once. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The answer to one of the page's questions, with how good it is: `good`, `warn`, `bad` or nothing. */
export function answer(id, text, how = "") {
  const node = at(id);
  say(node, text);
  node.className = `answer ${how}`.trim();
}

/**
 * Terms and their values.
 *
 * @param list Each `[term, value, note, how]`; a null is left out.
 */
export function facts(node, list) {
  node.replaceChildren(
    ...list
      .filter((fact) => fact !== null)
      .map(([term, value, note = null, how = null]) =>
        make(
          "div",
          {},
          make("dt", {}, term),
          make("dd", { class: how }, value, note === null ? null : make("small", {}, note)),
        ),
      ),
  );
}

/** What a table's cell may hold: a text, or a node with a `signature` that says when it differs. */
const signatureOf = (content) => (typeof content === "string" ? content : (content?.signature ?? ""));

/**
 * Brings a table's body up to date. A row that stays keeps its element, and with it the focus.
 *
 * @param rows Each `{ key, cells }`; a cell is `{ label, content, class, heading }`.
 */
export function fill(body, rows) {
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const used = new Set();
  for (const [index, { key: wanted, cells }] of rows.entries()) {
    // Rows that have the same key stay apart: one that no key finds would never be removed.
    let key = wanted;
    while (used.has(key)) key = `${key}+`;
    used.add(key);
    const row = known.get(key) ?? make("tr", { "data-key": key });
    known.delete(key);
    for (const [column, cell] of cells.entries()) fillCell(row, column, cell);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  }
  for (const gone of known.values()) gone.remove();
}

function fillCell(row, column, { label = "", content, class: className = "", heading = false }) {
  const attributes = { "data-label": label || null, scope: heading ? "row" : null };
  let cell = row.cells[column];
  if (!cell) {
    cell = make(heading ? "th" : "td", attributes);
    row.append(cell);
  }
  if (cell.className !== className) cell.className = className;
  const signature = signatureOf(content);
  if (cell.signature === signature) return;
  cell.signature = signature;
  cell.replaceChildren(content ?? "");
}

/** A share as a bar, with its text beside it. The bar is set by CSSOM, which the policy allows. */
export function meter(share, text, how = "") {
  const bar = make("span");
  bar.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  const node = make(
    "span",
    {},
    make("span", { class: `meter ${how}`.trim(), "aria-hidden": "true" }, bar),
    text,
  );
  node.signature = `${share} ${text} ${how}`;
  return node;
}

/** A small button in a table. */
export function rowButton(text, spoken, onClick) {
  const button = make("button", { type: "button", class: "small", "aria-label": spoken }, text);
  button.addEventListener("click", onClick);
  button.signature = spoken;
  return button;
}
