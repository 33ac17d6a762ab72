import { tokenFits } from "../identity/session-token.ts";
import { offlineClaimsOf } from "./claims.ts";
import { jsonTooLarge } from "./record.ts";
import type { NewSession } from "./session-store.ts";

/** What an outage's token may carry of user data, bytes of JSON. */
const OFFLINE_USER_DATA_BYTES = 2048;

/** While the store is lost only the token carries a session's data to other isolates, and a cookie ends at 4096 bytes. */
export class UserDataTooLarge extends Error {
  readonly code = "USER_DATA_TOO_LARGE_OFFLINE";
}

/** @throws UserDataTooLarge where the session cannot be made while the store is lost. */
export function refuseTooLarge(session: NewSession): void {
  const fits = tokenFits(offlineClaimsOf(session));
  if (!fits || jsonTooLarge(session.record.user_data, OFFLINE_USER_DATA_BYTES)) {
    throw new UserDataTooLarge("An offline token carries 2 KiB of user data at most");
  }
}
