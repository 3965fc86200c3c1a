/**
 * The timetable of all uploads together. The server merges them, by the rule that feeds and Google calendars follow; what it said last
 * is kept here, to be read without a network.
 */
import { signal } from "@preact/signals";
import { ApiError, ask, type Timetable } from "../api/client";

/** What the server said last; null of somebody who has uploaded nothing, or whose session is gone. */
export const timetable = signal<Timetable | null>(null);

let asked = 0;

/** Asks for it anew. Of several answers that of the last question holds. */
export async function refreshTimetable(): Promise<void> {
  const question = ++asked;
  try {
    const answer = await ask<Timetable>("/api/timetable");
    if (question === asked) timetable.value = answer;
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 401)) throw e; // without a session, what was kept stays to be read
  }
}
