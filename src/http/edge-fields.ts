import { remembered } from "../runtime/remembered.ts";
import { laxName } from "./field-name.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { SESSION_TOKEN_FIELD } from "./session-token.ts";

/** What the origin receives under them is the same for everybody, follows from the URL, or is nothing. */
const SAME_FOR_EVERYBODY = "x-edge-.*|forwarded|x-forwarded-(host|proto)|x-real-ip|true-client-ip";

/** What else says who sends a request: the fields that the edge sends itself, and the token that is for the edge alone. */
const SENT_BY_THE_EDGE = `${SESSION_TOKEN_FIELD.toLowerCase()}|x-user-(id|tier)|x-request-id`;

/** What frameworks, servers and platforms take for the sender's address, name or certificate. */
const SENDER = [
  "x-forward(ed)?(-.*)?|forwarded-.*|x-original-forwarded-.*",
  "cf-connecting-ip(v6)?|cf-pseudo-ipv4|(x-)?(cluster-)?client-ip|x-remote-(addr|ip|user)|remote-(addr|user)",
  "(fastly|fly)-client-ip|(wl-)?proxy-client-ip|x-envoy-(external-address|internal)|x-azure-(clientip|socketip)",
  "(x-)?appengine-user-ip|do-connecting-ip|x-nf-client-connection-ip|x-vercel-forwarded-for",
  // RFC 9440 §2.4: whoever ends TLS removes what a client sends under these names, and under those of nginx, Azure and others.
  "client-cert(-chain)?|(x-)?ssl-(client-.*|cert)|x-(ssl-)?client-(cert(ificate)?(-.*)?|dn|verify|s-dn)|x-arr-clientcert",
  "x-tls-client-.*|x-amzn-mtls-.*",
  // What proxies that sign users in send after them: oauth2-proxy, Authelia, Grafana's, Louketo, then Azure, Google, Amazon.
  "x-auth-request-.*|remote-(name|email|groups)|x-webauth-.*|x-auth-(userid|username|subject|roles|groups)",
  "x-ms-(client-principal(-.*)?|token-.*)|x-goog-authenticated-user-.*|x-originating-ip|x-proxyuser-ip|x-amzn-oidc-.*",
  "x-endpoint-api-.*|x-apigateway-api-userinfo",
  // Kong and APISIX, authentik, Pomerium, Vouch, Tailscale, Apache's OpenID and Shibboleth, Kubernetes.
  "x-authenticated-(user(id|name)?|email|groups|scope)|x-consumer-(id|username|custom-id|groups)|x-anonymous-consumer",
  "x-credential-(identifier|username)|x-userinfo|x-(authentik|pomerium|vouch)-.*|tailscale-user-.*|oidc-claim-.*|shib-.*|eppn",
  "x-remote-(group|extra-.*)",
].join("|");

/**
 * By which frameworks let a request change its own method, address, host or scheme, or what they do with it, and by which
 * Cloudflare chooses the version of a Worker. None of them is in a cache key.
 */
const OVERRIDES = [
  "x-http-method-override|x-method-override|x-http-method",
  "x-original-(url|uri|host|path|method|proto)|x-rewrite-url|x-envoy-original-path|x-script-name|x-path-info",
  "x-host|x-http-host-override|x-scheme|x-url-scheme|front-end-https|x-arr-ssl",
  // A CGI program reads the first as HTTP_PROXY; Rack sends files by the next two.
  "proxy|x-sendfile-type|x-accel-mapping",
  // By which Next.js and React Router skip their checks, or answer with another page, an empty one or an error (CVE-2025-29927, CVE-2024-46982).
  "x-middleware-.*|x-invoke-.*|x-now-route-matches|x-matched-path|x-react-router-(spa-mode|prerender-data)",
  "cloudflare-workers-version-.*",
].join("|");

const RESERVED_IN_REQUESTS = new RegExp(
  `^(${SAME_FOR_EVERYBODY}|${SENT_BY_THE_EDGE}|${SENDER}|${OVERRIDES})$`,
);

const SELECTS_NOTHING = new RegExp(`^(${SAME_FOR_EVERYBODY}|host|content-length|expect)$`);

/** The client's address once more, as Cloudflare sends it. */
export const REAL_ADDRESS_FIELD = "x-real-ip";

/** Fields of an answer that carry a signal from the origin to the edge. */
export const SESSION_SIGNAL_FIELD = "x-edge-session";
export const CALLER_SIGNAL_FIELD = "x-edge-caller";

/** Signals between the two, and fields by which the edge says what it did itself: an origin cannot say that. */
const RESERVED_IN_ANSWERS = new RegExp(`^(x-edge-.*|x-cache|${SESSION_TOKEN_FIELD.toLowerCase()})$`);

/**
 * Whether only the edge may send a field of this name to the origin. What a client sends under it is dropped, in every
 * spelling that an origin may read as this name.
 */
export const isReservedRequestField = remembered((name) => RESERVED_IN_REQUESTS.test(laxName(name)));

/** Whether a request's field selects nothing: its value does not reach the origin as the client sent it. */
export const selectsNothing = remembered((name) => SELECTS_NOTHING.test(name) || isHopByHop(name));

/** Whether no client gets a field of this name from an origin, and no cache keeps it. */
export const isReservedResponseField = remembered((name) => RESERVED_IN_ANSWERS.test(laxName(name)));
