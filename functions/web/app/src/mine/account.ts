/** What the server keeps of this student, and how it is deleted. */
import { batch, computed } from "@preact/signals";
import { ApiError, ask, send, type GoogleCalendar, type ListedFeed, type SignInStatus } from "../api/client";
import { choices, feeds, uploads } from "../state/store";
import { noChoices } from "../state/types";
import { forgetFiles } from "../state/waiting";

export interface Account {
  feeds: ListedFeed[];
  signIn: SignInStatus;
  calendars: GoogleCalendar[];
}

/** The feeds and the sign-in. A visitor who never uploaded anything has no session, and so nothing. */
async function atOurs(): Promise<{ feeds: ListedFeed[]; signIn: SignInStatus }> {
  const [listed, signIn] = await Promise.all([
    ask<{ feeds: ListedFeed[] }>("/api/feeds").then((answer) => answer.feeds, noneWithout(401)),
    ask<SignInStatus>("/api/auth/status"),
  ]);
  return { feeds: listed, signIn };
}

/** Asks for all of it. */
export async function account(): Promise<Account> {
  const { feeds: listed, signIn } = await atOurs();
  const calendars = signIn.authenticated ? (await ask<{ calendars: GoogleCalendar[] }>("/api/calendars")).calendars : [];
  return { feeds: listed, signIn, calendars: calendars.filter((c) => c.createdHere || c.following || c.syncedAt) };
}

function noneWithout(status: number) {
  return (e: unknown): never[] => {
    if (e instanceof ApiError && e.status === status) return [];
    throw e;
  };
}

export async function deleteFeed(id: string): Promise<void> {
  await gone(`/api/feeds/${id}`);
  feeds.value = feeds.value.filter((f) => f.id !== id);
}

export async function unfollow(calendarId: string): Promise<void> {
  await send("/api/calendars/follow", { method: "POST", body: { calendarId, follow: false } });
}

/** Deletes; what is gone already is no error. */
async function gone(path: string): Promise<void> {
  try {
    await send(path, { method: "DELETE" });
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 404)) throw e;
  }
}

/** Deletes everything, first on the server: if that fails, this browser still knows what is there. */
export async function deleteEverything(): Promise<void> {
  const known = await atOurs(); // Google may be away
  for (const feed of known.feeds) await gone(`/api/feeds/${feed.id}`);
  for (const upload of uploads.value) if (upload.jobId) await gone(`/api/jobs/${upload.jobId}`);
  if (known.signIn.authenticated) await send("/api/auth/logout", { method: "POST", body: { forget: true } });
  batch(() => {
    uploads.value = [];
    feeds.value = [];
    choices.value = noChoices;
  });
  await forgetFiles();
}

/** All that is known of the student, to keep. */
export async function everything(): Promise<Blob> {
  const server = await account();
  const all = { at: new Date().toISOString(), uploads: uploads.value, choices: choices.value, addresses: feeds.value, server };
  return new Blob([JSON.stringify(all, null, 2)], { type: "application/json" });
}

/** How much is kept in this browser, in kilobytes. */
export const keptHere = computed(() => Math.ceil(JSON.stringify([uploads.value, choices.value, feeds.value]).length / 1024));
