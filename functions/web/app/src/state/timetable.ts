/** Asks for the timetable of all uploads together. The server merges them, by the rule that feeds and Google calendars follow. */
import { ApiError, ask, type Timetable } from "../api/client";
import { answerTimetable, beginning, type Beginning, forgottenSince } from "./store";

let asked = 0;
let underway: { since: Beginning; answered: Promise<void> } | null = null;

/** Asks for it anew. Of several answers that of the last question holds. */
export function refreshTimetable(): Promise<void> {
  const question = ++asked;
  const since = beginning();
  const answered = fetchTimetable(question, since).finally(() => {
    if (question === asked) underway = null;
  });
  underway = { since, answered };
  return answered;
}

/** Waits for the question that is underway, or asks. For whom any answer of now will do. */
export function currentTimetable(): Promise<void> {
  return underway && !forgottenSince(underway.since) ? underway.answered : refreshTimetable();
}

async function fetchTimetable(question: number, since: Beginning): Promise<void> {
  try {
    const answer = await ask<Timetable>("/api/timetable");
    if (question === asked) answerTimetable(answer, since);
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 401)) throw e; // without a session, what was kept stays to be read
  }
}
