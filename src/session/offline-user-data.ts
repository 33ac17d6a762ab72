import { tokenFits } from "../identity/session-token.ts";
import { offlineClaimsOf } from "./claims.ts";
import { jsonTooLarge, userDataOf } from "./record.ts";
import type { NewSession } from "./session-store.ts";

/** Maximum user data of a session that is created in an outage, bytes of JSON: its token carries them. */
const OFFLINE_USER_DATA_BYTES = 2048;

/** The user data does not fit into a token. While the store is lost, only the token carries it to other isolates. */
export class UserDataTooLarge extends Error {
  readonly code = "USER_DATA_TOO_LARGE_OFFLINE";
}

/** Whether the token of a session that is created in an outage has room for its user data. */
export function fitsToken(session: NewSession): boolean {
  return tokenFits(offlineClaimsOf(session)) && !jsonTooLarge(userDataOf(session), OFFLINE_USER_DATA_BYTES);
}

/** @throws UserDataTooLarge when the token of a session that is created in an outage has no room for its user data. */
export function refuseTooLarge(session: NewSession): void {
  if (!fitsToken(session)) throw new UserDataTooLarge("An offline token carries 2 KiB of user data at most");
}
