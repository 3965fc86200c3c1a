import { secondsUntilRetry } from "../api/retry";
import { ApiError, ask, type GoogleCalendar, type SignInStatus, type Sync, type SyncPlan } from "../api/client";
import { chosenOptions } from "../state/request";

/** How a sign-in ended that has just led back here; the address forgets it, so that a reload does not tell it again. */
export function signInResult(): string {
  const address = new URL(location.href);
  const result = address.searchParams.get("signIn") ?? "";
  if (result) {
    address.searchParams.delete("signIn");
    history.replaceState(null, "", address.pathname + address.search + address.hash);
  }
  return result;
}

export function status(): Promise<SignInStatus> {
  return ask<SignInStatus>("/api/auth/status");
}

export async function calendars(): Promise<GoogleCalendar[]> {
  return (await ask<{ calendars: GoogleCalendar[] }>("/api/calendars")).calendars;
}

export function createCalendar(summary: string): Promise<GoogleCalendar> {
  return ask<GoogleCalendar>("/api/calendars", { method: "POST", body: { summary } });
}

/** What a sync would do; nothing is written. */
export function planOf(calendarId: string): Promise<SyncPlan> {
  return ask<SyncPlan>("/api/calendars/events", { method: "POST", body: { ...chosenOptions(), calendarId, dryRun: true }, patience: 120 });
}

/** Writes it, and tells how far that is. */
export async function apply(calendarId: string, follow: boolean, onProgress: (sync: Sync) => void): Promise<Sync> {
  return followed(await ask<Sync>("/api/calendars/events", { method: "POST", body: { ...chosenOptions(), calendarId, follow }, patience: 120 }), onProgress);
}

/** Removes all that schedgen added to a calendar. */
export async function undo(calendarId: string, onProgress: (sync: Sync) => void): Promise<Sync> {
  return followed(await ask<Sync>("/api/calendars/events?calendarId=" + encodeURIComponent(calendarId), { method: "DELETE", patience: 120 }), onProgress);
}

/** How many questions about a sync may go unanswered in a row: about a minute of them. */
const mostMissed = 6;

/** Asks for a sync until it has ended. The server goes on writing while an answer about it fails to come. */
async function followed(sync: Sync, onProgress: (sync: Sync) => void): Promise<Sync> {
  onProgress(sync);
  for (let missed = 0, seconds = 1; sync.status === "pending"; ) {
    await new Promise((done) => setTimeout(done, seconds * 1000));
    try {
      sync = await ask<Sync>(`/api/calendars/syncs/${sync.syncId}`);
      missed = 0;
      seconds = Math.min(seconds * 1.3, 5);
      onProgress(sync);
    } catch (e) {
      seconds = secondsUntilRetry(e, ++missed, { guess: true, most: mostMissed, sooner: true });
      if (seconds === 0) throw e;
    }
  }
  if (sync.status === "failed") throw new ApiError(sync.message, sync.error ?? "SYNC_FAILED", 502);
  return sync;
}

