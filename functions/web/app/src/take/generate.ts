import { ApiError, ask, type Calendar, type Event, send, type Options } from "../api/client";
import { optionsOf } from "../state/options";
import { academicYear, choices, events, onlySample, taken } from "../state/store";

/** What is asked of the API for a calendar, of whatever kind: the choices, and the academic year. */
export function chosenOptions(): Options {
  return { ...optionsOf(choices.value, taken.value), year: academicYear.value };
}

/** What a file is asked for with. The server knows the timetables, but not the sample. */
export function fileRequest(): Options & { events?: Event[] } {
  return { ...chosenOptions(), ...(onlySample.value ? { events: events.value } : {}) };
}

/** The calendar that a file would hold, as data. */
export function makeCalendar(): Promise<Calendar> {
  return ask<Calendar>("/api/generate/ics", { method: "POST", body: fileRequest() });
}

/** A calendar file, and what its headers say of it. */
export interface CalendarFile {
  name: string;
  content: Blob;
  events: number;
  clashes: number;
  warnings: number;
}

/** Makes the calendar file of all that is chosen. */
export async function makeFile(): Promise<CalendarFile> {
  const answer = await send("/api/generate/ics", { method: "POST", accept: "text/calendar", body: fileRequest() });
  const number = (name: string) => Number(answer.headers.get(name) ?? 0);
  return {
    name: nameIn(answer.headers.get("Content-Disposition")), content: await answer.blob(), events: number("X-Schedgen-Events"),
    clashes: number("X-Schedgen-Clashes"), warnings: number("X-Schedgen-Warnings"),
  };
}

/** The file's name in a Content-Disposition header. */
export function nameIn(header: string | null): string {
  const coded = /filename\*=utf-8''([^;]+)/i.exec(header ?? "")?.[1];
  const plain = /filename="?([^";]+)"?/i.exec(header ?? "")?.[1];
  try {
    return coded ? decodeURIComponent(coded) : (plain ?? "timetable.ics");
  } catch {
    return plain ?? "timetable.ics";
  }
}

/** Hands a file to the browser, which saves or opens it. */
export function save(file: { name: string; content: Blob }): void {
  const address = URL.createObjectURL(file.content);
  const link = document.createElement("a");
  link.href = address;
  link.download = file.name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Terms whose dates nobody knows, with guesses. */
export interface MissingDates {
  year: number;
  terms: string[];
  suggestions: { term: string; start: string; end: string; from: number }[];
}

/** What is missing, if an error says that dates are; null for any other error. */
export function missingDates(e: unknown): MissingDates | null {
  if (!(e instanceof ApiError) || e.code !== "MISSING_SEMESTER_DATES") return null;
  const told = (e.details as { choices?: Partial<MissingDates> } | null)?.choices;
  if (!told || !Array.isArray(told.terms)) return null;
  return { year: told.year ?? academicYear.value, terms: told.terms, suggestions: Array.isArray(told.suggestions) ? told.suggestions : [] };
}
