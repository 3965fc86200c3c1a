/**
 * The timetable of all uploads together. The server merges them, by the rule that feeds and Google calendars follow; what it said last
 * is kept here, to be read without a network.
 */
import { signal } from "@preact/signals";
import { ApiError, ask, type Timetable } from "../api/client";

/** What the server said last; null of somebody who has uploaded nothing, or whose session is gone. */
export const timetable = signal<Timetable | null>(null);

let asked = 0;
let underway: Promise<void> | null = null;

/** Asks for it anew. Of several answers that of the last question holds. */
export function refreshTimetable(): Promise<void> {
  const question = ++asked;
  const answered = fetchTimetable(question).finally(() => {
    if (question === asked) underway = null;
  });
  underway = answered;
  return answered;
}

/** Waits for the question that is underway, or asks. For whom any answer of now will do. */
export function currentTimetable(): Promise<void> {
  return underway ?? refreshTimetable();
}

async function fetchTimetable(question: number): Promise<void> {
  try {
    const answer = await ask<Timetable>("/api/timetable");
    if (question === asked) timetable.value = answer;
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 401)) throw e; // without a session, what was kept stays to be read
  }
}

/** Forgets it, and what is still on its way. */
export function forgetTimetable(): void {
  asked++;
  underway = null;
  timetable.value = null;
}
