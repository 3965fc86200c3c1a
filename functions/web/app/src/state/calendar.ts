/** The calendar as the server makes it of the choices, for the weeks by date. The last one is kept, to be read without a network. */
import { computed, signal } from "@preact/signals";
import type { Calendar } from "../api/client";
import { fileRequest, makeCalendar } from "./request";
import { timetable } from "./store";

const key = "schedgen/calendar";

interface Kept {
  /** What it was made of. */
  request: string;
  calendar: Calendar;
}

function stored(): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
    return Array.isArray(kept?.calendar?.items) ? kept : null;
  } catch {
    return null;
  }
}

const kept = signal<Kept | null>(stored());

/** What the calendar is made of now: uploads and choices. */
export const request = computed(() => JSON.stringify([timetable.value?.uploads.map((u) => u.jobId), fileRequest()]));

/** The calendar, if it is the one of the present choices. */
export const calendar = computed<Calendar | null>(() => (kept.value?.request === request.value ? kept.value.calendar : null));

/** Asks for it anew: the university's days may have been corrected since. */
export async function loadCalendar(): Promise<void> {
  const asked = request.value;
  const made = { request: asked, calendar: await makeCalendar() };
  if (asked !== request.value) return;
  kept.value = made;
  try {
    localStorage.setItem(key, JSON.stringify(made));
  } catch {
    // There is no room: it is asked for again without a network in vain, and the page says so.
  }
}

export function forgetCalendar(): void {
  kept.value = null;
  try {
    localStorage.removeItem(key);
  } catch {
    // a browser that keeps nothing
  }
}
