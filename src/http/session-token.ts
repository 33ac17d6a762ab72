/** The field that hands a session's token to a client that sends it as a bearer. */
export const SESSION_TOKEN_FIELD = "X-Session-Token";

/** The first part of every session token: its format. */
export const SESSION_TOKEN_FORMAT = "es1";
/** The first characters of every session token. Any other text is not treated as one. */
export const SESSION_TOKEN_PREFIX = `${SESSION_TOKEN_FORMAT}.`;
