import { createClient, edgeProblem, rateLimits } from "envoyou-edge/client";
import { hc } from "hono/client";
import type { App } from "./worker.ts";

const client = createClient();
const api = hc<App>("/", { fetch: client.fetch }).api;
const form = document.querySelector("form") as HTMLFormElement;
const said = document.querySelector("output") as HTMLOutputElement;
const element = (id: string) => document.getElementById(id) as HTMLButtonElement;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  const response = await client.fetch("/api/login", { method: "POST", body });
  const problem = await edgeProblem(response);
  said.value = problem
    ? `${problem.title}. Again in ${problem.retry_after} s.`
    : response.ok
      ? "Signed in."
      : "Wrong name or password.";
});

element("report").addEventListener("click", async () => {
  const response = await api.report.$get();
  if (!response.ok) {
    said.value = `${(await edgeProblem(response))?.title ?? response.status}.`;
    return;
  }
  const { made_at } = await response.json();
  const [limit] = rateLimits(response.headers);
  said.value = `Report of ${made_at}, ${response.headers.get("X-Cache")}, ${limit?.remaining} requests left.`;
});

element("logout").addEventListener("click", async () => {
  await api.logout.$post();
  client.setToken(null);
  said.value = "Signed out.";
});
