// Asks once before what cannot be undone.

import { at, make } from "./dom.js";

/**
 * Opens the dialog.
 *
 * @param title The act, as a question.
 * @param does What will happen, and `not` what will not: sentences.
 * @param yes The text of the button that does it.
 * @returns Whether it was pressed. Escape and Cancel are no.
 */
export function ask({ title, does, not, yes }) {
  const dialog = at("ask");
  const sentences = (list) => list.map((text) => make("li", {}, text));
  at("ask-title").textContent = title;
  at("ask-does").replaceChildren(...sentences(does));
  at("ask-not").replaceChildren(...sentences(not));
  at("ask-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  at("ask-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

at("ask-yes").addEventListener("click", () => at("ask").close("yes"));
at("ask-no").addEventListener("click", () => at("ask").close("no"));
