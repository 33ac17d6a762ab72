import type { SessionClaims } from "../../src/identity/session-token.ts";

export const NOW = Date.UTC(2026, 0, 15, 12, 0, 30);

export function claims(over: Partial<SessionClaims> = {}): SessionClaims {
  return {
    id: "A".repeat(27),
    userId: "user_123",
    tier: "premium",
    issuedAt: NOW,
    expiresAt: NOW + 3_600_000,
    confirmedAt: NOW,
    offline: false,
    userData: null,
    syncToken: null,
    ...over,
  };
}
