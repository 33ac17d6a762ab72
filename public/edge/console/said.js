// What the page says of an outcome: problems, and notices of what was done.

import { hasToken, Refused } from "./api.js";
import { make } from "./dom.js";
import { plural } from "./format.js";

/** What the operator can do about a status, where the problem does not say it. */
const ADVICE = {
  401: "The token is not one of ADMIN_TOKEN's.",
  404: "Where no ADMIN_TOKEN is set, the operators' paths are 404.",
};

/** A problem (RFC 9457): title, detail, and each field with its reason. */
export function problemNode(error) {
  const { status, problem } = asRefused(error);
  const {
    title = "Failed",
    detail,
    message,
    errors,
    retry_after: retryAfter,
    code,
    request_id: id,
  } = problem;
  const issues = Array.isArray(errors) ? errors : [];
  const about = [code, status > 0 ? `status ${status}` : null, id ? `request ${id}` : null].filter(Boolean);
  return make(
    "div",
    { class: "problem" },
    make("strong", {}, String(title)),
    make("p", {}, String(detail ?? message ?? ADVICE[status] ?? "")),
    issues.length === 0
      ? null
      : make(
          "ul",
          {},
          issues.map(({ field, reason }) => make("li", {}, make("code", {}, String(field)), ` ${reason}`)),
        ),
    Number.isFinite(retryAfter) ? make("p", {}, `Try again in ${plural(retryAfter, "second")}.`) : null,
    about.length === 0 ? null : make("p", { class: "hint" }, about.join(" · ")),
  );
}

/** What was done. @param how `warn` where it holds in one isolate only. */
export function notice(title, lines = [], how = "") {
  return make(
    "div",
    { class: `notice ${how}`.trim() },
    make("strong", {}, title),
    lines.map((line) => make("p", {}, line)),
  );
}

/** An error of the page's own is shown as well, and stands in the browser's console. */
function asRefused(error) {
  if (error instanceof Refused) return error;
  console.error(error);
  return new Refused(0, { title: "This page failed", message: String(error?.message ?? error) });
}

/** Marks the fields that the edge names: those whose `data-member` is that member of the body, else the first. */
function markNamed(form, errors) {
  if (!Array.isArray(errors) || errors.length === 0) return;
  const members = errors.map(({ field }) => String(field).split(/[.[]/, 1)[0]);
  const named = members.map((member) => form.querySelector(`[data-member~="${CSS.escape(member)}"]`));
  const first = form.querySelector("input:not([type=checkbox]), textarea");
  for (const input of new Set(named.map((each) => each ?? first)))
    input?.setAttribute("aria-invalid", "true");
}

/**
 * Runs one act of a form: marks its button, says the outcome, and marks the fields that the edge names.
 *
 * @param work Resolves with the nodes to show, or null to leave what stands there.
 */
export async function act(form, result, work) {
  if (form.dataset.busy === "yes") return;
  form.dataset.busy = "yes";
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  try {
    const nodes = await work();
    // Whoever has signed out meanwhile leaves nothing behind.
    if (nodes !== null && hasToken()) result.replaceChildren(...nodes);
  } catch (error) {
    if (error instanceof Refused && error.status === 401)
      form.dispatchEvent(new Event("signed-out", { bubbles: true }));
    if (hasToken()) result.replaceChildren(problemNode(error));
    if (error instanceof Refused) markNamed(form, error.problem.errors);
  } finally {
    delete form.dataset.busy;
    for (const button of buttons) button.removeAttribute("aria-disabled");
    // The button that was pressed may have been part of the result.
    if (document.activeElement === document.body) {
      result.tabIndex = -1;
      result.focus({ preventScroll: true });
    }
  }
}
