/** `/edge/*`: what operators may ask and do, behind `ADMIN_TOKEN`. */
export { notFound, type TokenGateOptions, tokenGate } from "./gate.ts";
export { type AdminRoutesOptions, adminRoutes } from "./routes.ts";
