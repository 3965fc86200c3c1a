/** What the server keeps of this student, and how it is deleted. */
import { batch, computed } from "@preact/signals";
import { ApiError, ask, type Deletion, type GoogleCalendar, type ListedFeed, type PersonalData, send, type SignInStatus, type StorageUsage } from "../api/client";
import { forgetCalendar } from "../look/calendar";
import { choices, feeds, known, uploads } from "../state/store";
import { refreshTimetable, timetable } from "../state/timetable";
import { noChoices } from "../state/types";
import { forgetFiles } from "../state/waiting";

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
  if (!known.value && !signIn.authenticated) return none;
  const [listed, storage] = await Promise.all([
    ask<{ feeds: ListedFeed[] }>("/api/feeds").catch(without(401, { feeds: [] })),
    ask<StorageUsage>("/api/storage/usage"),
    refreshTimetable(),
  ]);
  none.feeds = listed.feeds;
  none.storage = storage;
  if (!signIn.authenticated) return none;
  return ask<{ calendars: GoogleCalendar[] }>("/api/calendars").then(
    ({ calendars }): Account => ({ ...none, calendars: calendars.filter((c) => c.createdHere || c.following || c.syncedAt) }),
    (e: ApiError): Account => ({ ...none, calendars: null, problem: e }),
  );
}

/** Takes an error of that status for that answer. */
function without<T>(status: number, answer: T) {
  return (e: unknown): T => {
    if (e instanceof ApiError && e.status === status) return answer;
    throw e;
  };
}

export async function deleteFeed(id: string): Promise<void> {
  await send(`/api/feeds/${id}`, { method: "DELETE" }).catch(without(404, null)); // gone already
  feeds.value = feeds.value.filter((f) => f.id !== id);
}

export async function unfollow(calendarId: string): Promise<void> {
  await send("/api/calendars/follow", { method: "POST", body: { calendarId, follow: false } });
}

/**
 * Deletes everything, first on the server: if that fails, this browser still knows what is there. Returns what the server says of
 * it; nothing where there was nothing.
 */
export async function deleteEverything(): Promise<Deletion | null> {
  const deletion = await ask<Deletion>("/api/me", { method: "DELETE" }).catch(without(401, null));
  await forgetHere();
  return deletion;
}

/** Deletes what this browser keeps. */
async function forgetHere(): Promise<void> {
  batch(() => {
    uploads.value = [];
    feeds.value = [];
    choices.value = noChoices;
    timetable.value = null;
  });
  forgetCalendar();
  await forgetFiles();
}

/** All that is kept of the student, on the server and here. */
export async function everything(): Promise<Blob> {
  const onServer = await ask<PersonalData>("/api/me", { patience: 120 }).catch(without(401, null));
  const here = { uploads: uploads.value, choices: choices.value, addresses: feeds.value };
  return new Blob([JSON.stringify({ inThisBrowser: here, onTheServer: onServer }, null, 2)], { type: "application/json" });
}

/** How much is kept in this browser, in kilobytes. */
export const keptHere = computed(() => Math.ceil(JSON.stringify([uploads.value, choices.value, feeds.value, timetable.value]).length / 1024));
