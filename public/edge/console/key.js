// Looks up an API key that the origin has verified, and forgets it.

import { call } from "./api.js";
import { ask } from "./ask.js";
import { at } from "./dom.js";
import { act, notice } from "./said.js";
import { inOneIsolate } from "./store.js";

const form = at("key-form");
const result = at("key-result");

async function lookUp() {
  const { body } = await call("POST", "/edge/keys/lookup", { key: at("key-value").value });
  return [shown(body)];
}

function shown({ key, verified, user_id: user, tier }) {
  const whose = [user ? `user ${user}` : null, tier ? `tier ${tier}` : null].filter(Boolean).join(", ");
  return notice(
    verified ? "Your API has verified this key." : "The edge does not know this key as verified.",
    [verified && whose ? `It belongs to ${whose}.` : null, `In the log it is ${key}.`].filter(Boolean),
    verified ? "" : "warn",
  );
}

async function end() {
  const yes = await ask({
    title: "Forget this key?",
    does: [
      "The edge no longer takes the key as verified: its requests count by their address, without the key's user and tier.",
      "Every isolate knows of it within 5 seconds, or what ISOLATE_MAX_AGE_MS says.",
    ],
    not: [
      "Your API is not told. Once it accepts the key again, the edge takes it as verified again.",
      "To refuse the key for good, put key:<hash> into DENY_LIST, or end it at your API.",
      "A key of API_KEYS cannot be forgotten here: remove it there.",
    ],
    yes: "Forget the key",
  });
  if (!yes) return null;
  const { status, body } = await call("POST", "/edge/keys/lookup", { key: at("key-value").value, end: true });
  if (status !== 202) return [notice("The key is forgotten.", [`In the log it is ${body.key}.`])];
  return [notice("The key is forgotten in one isolate alone.", inOneIsolate(), "warn")];
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void act(form, result, lookUp);
});
at("key-end").addEventListener("click", () => {
  if (form.reportValidity()) void act(form, result, end);
});
