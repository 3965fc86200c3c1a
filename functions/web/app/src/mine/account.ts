/** What the server keeps of this student, and how it is deleted. */
import { computed } from "@preact/signals";
import { ApiError, ask, type Deletion, type GoogleCalendar, type ListedFeed, type PersonalData, type SignInStatus, type StorageUsage, submit, without } from "../api/client";
import { forgetHere } from "../state/forget";
import { choices, feeds, hasSession, removeFeed, timetable, uploads } from "../state/store";
import { currentTimetable } from "../state/timetable";
import { mineTexts as text } from "../texts/mine";

export interface Account {
  feeds: ListedFeed[];
  /** What the PDFs on the server use; null for a visitor who has none there. */
  storage: StorageUsage | null;
  signIn: SignInStatus;
  /** null where Google, or the sign-in there, is away. */
  calendars: GoogleCalendar[] | null;
  /** Why that is so. */
  problem: ApiError | null;
}

/** Asks for all of it. What is kept here does not depend on Google. A visitor who never uploaded anything has no session, and so nothing. */
export async function account(): Promise<Account> {
  const signIn = await ask<SignInStatus>("/api/auth/status");
  const none: Account = { feeds: [], storage: null, signIn, calendars: [], problem: null };
  if (!hasSession.value && !signIn.authenticated) return none;
  const [listed, storage] = await Promise.all([
    ask<{ feeds: ListedFeed[] }>("/api/feeds").catch(without(401, { feeds: [] })),
    ask<StorageUsage>("/api/storage/usage"),
    currentTimetable(),
  ]);
  none.feeds = listed.feeds;
  none.storage = storage;
  if (!signIn.authenticated) return none;
  return ask<{ calendars: GoogleCalendar[] }>("/api/calendars").then(
    ({ calendars }): Account => ({ ...none, calendars: calendars.filter((c) => c.createdHere || c.following || c.syncedAt) }),
    (e: ApiError): Account => ({ ...none, calendars: null, problem: e }),
  );
}

export async function deleteFeed(id: string): Promise<void> {
  await submit(`/api/feeds/${id}`, { method: "DELETE" }).catch(without(404, undefined)); // gone already
  removeFeed(id);
}

export async function unfollow(calendarId: string): Promise<void> {
  await submit("/api/calendars/follow", { method: "POST", body: { calendarId, follow: false } });
}

/**
 * Deletes everything, first on the server: if that fails, this browser still knows what is there. Returns what became of it, in a
 * sentence. A server that does not know this browser deletes nothing.
 */
export async function deleteEverything(): Promise<string> {
  const deletion = await ask<Deletion>("/api/me", { method: "DELETE" }).catch(without(401, null));
  const unknown = hasSession.value ? text.deletedHere : text.deletedNothingThere;
  await forgetHere();
  return deletion?.message ?? unknown;
}

/** All that is kept of the student, on the server and here. */
export async function everything(): Promise<Blob> {
  const onServer = await ask<PersonalData>("/api/me", { patience: 120 }).catch(without(401, null));
  const here = { uploads: uploads.value, choices: choices.value, addresses: feeds.value };
  return new Blob([JSON.stringify({ inThisBrowser: here, onTheServer: onServer }, null, 2)], { type: "application/json" });
}

/** How much is kept in this browser, in kilobytes. */
export const keptHere = computed(() => Math.ceil(JSON.stringify([uploads.value, choices.value, feeds.value, timetable.value]).length / 1024));
