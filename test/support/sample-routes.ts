import { defineRoutes } from "../../src/config/route.ts";

/** The routes of the tests. What stands in `src/routes.ts` is for whoever deploys the edge to choose: no test depends on it. */
export default defineRoutes([
  {
    path: "/v1/emissions/calculate",
    methods: ["POST"],
    limits: [{ name: "calculate", limit: 60, window: "1 m" }],
  },
  {
    path: "/v1/emissions/*",
    methods: ["GET", "HEAD"],
    limits: [
      { name: "burst", limit: 30, window: "1 m" },
      { name: "day", limit: 5000, window: "1 d", algorithm: "fixed-window" },
    ],
    tiers: {
      premium: [
        { name: "burst", limit: 300, window: "1 m" },
        { name: "day", limit: 100_000, window: "1 d", algorithm: "fixed-window" },
      ],
    },
    cache: {
      ttl: 1800,
      scope: "shared",
      staleWhileRevalidate: 60,
      staleIfError: 86_400,
      tags: ["emissions"],
    },
  },
  {
    path: "/v1/auth/login",
    methods: ["POST"],
    session: "start",
    onStoreFailure: "local",
    limits: [{ name: "login", limit: 5, window: "5 m", algorithm: "sliding-log", by: "address" }],
  },
  { path: "/v1/auth/logout", methods: ["POST"], session: "end" },
  {
    path: "/v1/user/*",
    access: "session",
    limits: [{ name: "user", limit: 100, window: "1 m" }],
  },
]);
