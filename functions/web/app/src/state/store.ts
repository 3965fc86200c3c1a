/**
 * What the page knows, as signals. All of it is kept in localStorage as it changes, so that a reload, a closed tab or a
 * dead battery loses nothing, and the timetable can be read without a network. Files that were not sent yet are kept
 * in IndexedDB (waiting.ts), for localStorage takes only texts.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import type { Event, Timetable } from "../api/client";
import { assignColours, type Colour } from "../domain/colours";
import { takenGroups, type TakenGroups } from "../domain/courses";
import { johannesburg } from "../domain/time";
import { forgetTimetable, timetable } from "./timetable";
import { noChoices, type Choices, type KeptFeed, type Upload } from "./types";

const key = "schedgen/1";

interface Kept {
  uploads: Upload[];
  choices: Choices;
  feeds: KeptFeed[];
  timetable: Timetable | null;
}

/** Reads what an earlier visit kept. What cannot be read is as if nothing had been kept. */
export function read(text: string | null): Kept {
  const none: Kept = { uploads: [], choices: noChoices, feeds: [], timetable: null };
  if (!text) return none;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    return {
      uploads: Array.isArray(kept.uploads) ? kept.uploads : [],
      choices: { ...noChoices, ...kept.choices },
      feeds: Array.isArray(kept.feeds) ? kept.feeds : [],
      timetable: Array.isArray(kept.timetable?.events) && Array.isArray(kept.timetable?.uploads) ? kept.timetable : null,
    };
  } catch {
    return none;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that is told to keep nothing
  }
}

let written = stored();
const start = read(written);

export const uploads = signal<Upload[]>(start.uploads);
export const choices = signal<Choices>(start.choices);
export const feeds = signal<KeptFeed[]>(start.feeds);

/** The browser does not keep what we give it: the page says so. */
export const notKept = signal(false);

timetable.value = start.timetable;

/** The academic year of the newest lectures, as their upload says; that of now where there are none. */
const uploadedYear = computed(() => Math.max(...lectureYears(timetable.value?.events ?? [])) || presentYear());

/** The academic year: the one that the student gave, unless newer lectures were uploaded since. */
export const academicYear = computed(() => Math.max(choices.value.year ?? 0, uploadedYear.value));

/** The years that a student may give: timetables are often out before their year begins. */
export const possibleYears = computed(() => [uploadedYear.value, uploadedYear.value + 1]);

function lectureYears(events: Event[]): number[] {
  return [0, ...events.map((e) => (e.kind === "lecture" ? (e.year ?? 0) : 0))];
}

function presentYear(): number {
  return Number(johannesburg(Date.now()).date.slice(0, 4));
}

/** The lectures of each academic year, the newest first. */
const lecturesByYear = computed<Event[][]>(() => {
  const all = timetable.value?.events ?? [];
  const years = [...new Set(lectureYears(all))].sort((a, b) => b - a);
  return years.map((year) => all.filter((e) => e.kind === "lecture" && (e.year ?? 0) === year));
});

/** All events: lectures of the newest year, tests and exams. Without any, those of the sample. */
export const events = computed<Event[]>(() => {
  const all = timetable.value?.events ?? [];
  if (all.length === 0) return uploads.value.flatMap((u) => u.sample ?? []);
  return all.filter((e) => e.kind !== "lecture" || e.year === uploadedYear.value);
});

/** Whether the server has given this browser a session, as far as what is kept here tells. */
export const hasSession = computed(() => timetable.value !== null || feeds.value.length > 0 || uploads.value.some((u) => u.jobId));

/** How many files only this browser has: those that wait to be sent, for their turn or for the student to try again. */
export const unsent = computed(() => uploads.value.filter((u) => !u.jobId && (u.state === "waiting" || u.state === "sending" || (u.state === "failed" && u.problem?.retry))).length);

/** There is nothing but the sample, which is on no server. */
export const onlySample = computed(() => (timetable.value?.events ?? []).length === 0);

/** The groups taken, by module: of the lectures shown, and of the years before, which stay in the calendar. */
export const taken = computed<TakenGroups>(() => takenGroups(choices.value.groups, onlySample.value ? [events.value] : lecturesByYear.value));

/** The modules, in the order of their names. */
export const modules = computed(() => [...new Set(events.value.map((e) => e.module).filter(Boolean))].sort());

/** Each module's colour. */
export const colours = computed<Record<string, Colour>>(() => assignColours(modules.value, choices.value.colors));

// A colour that was given once is kept, so that a module that comes later changes no other's.
effect(() => {
  const kept = choices.value.colors;
  const given = Object.entries(colours.value).filter(([module]) => !kept[module]);
  if (given.length > 0) choose({ colors: { ...kept, ...Object.fromEntries(given.map(([module, { css }]) => [module, css])) } });
});

/** Whether there is anything to look at. */
export const hasEvents = computed(() => events.value.length > 0);

/** Changes some of the choices and leaves the others. */
export function choose(change: Partial<Choices>) {
  choices.value = { ...choices.value, ...change };
}

/** Changes one upload, if it is still there. */
export function changeUpload(id: string, change: Partial<Upload>) {
  uploads.value = uploads.value.map((u) => (u.id === id ? { ...u, ...change, changes: (u.changes ?? 0) + 1 } : u));
}

/** Uploads that another tab has had in its list: where it has them no longer, it removed them. */
const known = new Set(start.uploads.map((u) => u.id));

/**
 * Takes another tab's list. That tab may not have seen yet what this one added or changed in the same moment: what it never had
 * stays, and of two states of an upload the one with more changes counts.
 */
function merge(theirs: Upload[], ours: Upload[]): Upload[] {
  const newer = theirs.map((their) => {
    const our = ours.find((u) => u.id === their.id);
    return our && (our.changes ?? 0) > (their.changes ?? 0) ? our : their;
  });
  for (const { id } of theirs) known.add(id);
  return [...newer, ...ours.filter((u) => !known.has(u.id))];
}

effect(() => {
  const text = JSON.stringify({ uploads: uploads.value, choices: choices.value, feeds: feeds.value, timetable: timetable.value } satisfies Kept);
  if (text === written) return;
  try {
    localStorage.setItem(key, text);
    written = text;
    notKept.value = false;
  } catch {
    notKept.value = true; // full, or forbidden
  }
});

// Another tab changed it: show the same here.
addEventListener("storage", (e) => {
  if (e.key !== key || e.newValue === written) return;
  written = e.newValue;
  const kept = read(e.newValue);
  const signedOut = hasSession.value && kept.uploads.length === 0 && kept.feeds.length === 0 && kept.timetable === null;
  // Together: kept one by one, the first would be written back beside the old others.
  batch(() => {
    uploads.value = signedOut ? [] : merge(kept.uploads, uploads.value);
    choices.value = kept.choices;
    feeds.value = kept.feeds;
    timetable.value = kept.timetable;
    if (signedOut) forgetTimetable(); // an answer that is on its way would bring it back
  });
});
