// Ends all sessions of one user.

import { call } from "./api.js";
import { ask } from "./ask.js";
import { at } from "./dom.js";
import { plural } from "./format.js";
import { act, notice } from "./said.js";

const form = at("sessions-form");

async function signOut() {
  const user = at("sessions-user").value.trim();
  const yes = await ask({
    title: `End all sessions of user ${user}?`,
    does: [
      "Every session of the user ends, on all devices. Their next request is told to sign in.",
      'Every isolate knows of it within 5 seconds, or what ISOLATE_MAX_AGE_MS says; routes with access: "session" know at once.',
    ],
    not: [
      "The user may sign in again: nothing is deleted, and nobody is locked out.",
      "Other users, the user's limits and stored answers stay as they are.",
      "Tokens that others have issued (JWT) and API keys go on.",
    ],
    yes: "End the sessions",
  });
  if (!yes) return null;
  const { status, body } = await call("POST", "/edge/users/sign-out", { user });
  return [told(user, status, body)];
}

function told(user, status, { sessions_ended: ended }) {
  const count = Number.isFinite(ended) ? plural(ended, "session") : "All sessions";
  if (status !== 202) return notice(`${count} of ${user} ended.`, ended === 0 ? ["The user had none."] : []);
  return notice(
    `The sessions of ${user} ended in one isolate alone.`,
    [
      "Redis does not answer. It is written when Redis is back, if the isolate still lives then; how many sessions there were is not known.",
      "Do it again when Redis is back, to be sure.",
    ],
    "warn",
  );
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, at("sessions-result"), signOut);
});
