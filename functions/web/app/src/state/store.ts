/**
 * What the page knows, as signals. All of it is kept in localStorage as it changes, so that a reload, a closed tab or a
 * dead battery loses nothing, and the timetable can be read without a network. Files that were not sent yet are kept
 * in IndexedDB (waiting.ts), for localStorage takes only texts.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Event, Timetable } from "../api/client";
import { assignColours, type Colour } from "../domain/colours";
import { takenGroups, type TakenGroups } from "../domain/courses";
import { johannesburg } from "../domain/time";
import { changed, merge, nextStamp, nothing, read, stamped, write, type Kept } from "./kept";
import type { Choices, KeptFeed, Upload } from "./types";

const key = "schedgen/2";
/** Where a page without stamps kept it. With one key for both, a tab of that page would write over all that it does not know, again and again. */
const earlierKey = "schedgen/1";

function stored(name = key): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that is told to keep nothing
  }
}

/** Of a visitor who did nothing, nothing is kept. */
const empty = write(nothing);

/** What was last seen in localStorage. It is part of `kept`. */
let seen = stored();

const kept = signal<Kept>(read(seen ?? stored(earlierKey)));

export const uploads = computed<Upload[]>(() => kept.value.uploads);
export const choices = computed<Choices>(() => kept.value.choices);
export const feeds = computed<KeptFeed[]>(() => kept.value.feeds);
/** What the server said last; null of somebody who has uploaded nothing, or whose session is gone. */
export const timetable = computed<Timetable | null>(() => kept.value.timetable);

/** How often another tab forgot everything: what this one shows of what the server said must go, too. */
export const forgottenElsewhere = signal(0);

/** The browser does not keep what we give it: the page says so. */
export const notKept = signal(false);

/**
 * Changes what is kept. What another tab kept is taken in first: localStorage itself has no way to change a part of it. change gets the
 * stamp that it must leave on what it changes.
 */
export function update(change: (kept: Kept, stamp: number) => Kept): void {
  const there = stored();
  const now = mergedWith(kept.peek(), there);
  const stamp = nextStamp(now, Date.now());
  keep({ ...change(now, stamp), clock: stamp }, there);
}

/** When something began whose outcome is to be kept. */
export type Beginning = Pick<Kept, "generation"> & { stamp: number };

export function beginning(): Beginning {
  takeIn(null); // what begins now begins after what other tabs did
  return { generation: kept.peek().generation, stamp: nextStamp(kept.peek(), Date.now()) };
}

/** Whether everything was forgotten since: then the outcome is not kept either. */
export function forgottenSince({ generation }: Beginning): boolean {
  return kept.peek().generation !== generation;
}

/**
 * Takes in what another tab kept: what is stored now, and what it was when that tab told of it. That may be gone already, where a third
 * tab wrote over it without having seen it.
 */
function takeIn(told: string | null): void {
  const there = stored();
  keep(mergedWith(mergedWith(kept.peek(), told), there), there);
}

function mergedWith(ours: Kept, text: string | null): Kept {
  if (text === null || text === seen) return ours;
  const theirs = read(text);
  if (theirs.generation > ours.generation) forgottenElsewhere.value++;
  return merge(ours, theirs);
}

function keep(now: Kept, there: string | null): void {
  kept.value = now;
  seen = there;
  const text = write(now);
  if (text === (seen ?? empty)) return;
  try {
    localStorage.setItem(key, text);
    seen = text;
    notKept.value = false;
  } catch {
    notKept.value = true; // full, or forbidden
  }
}

addEventListener("storage", (e) => {
  if (e.key !== key && e.key !== null) return;
  if (e.newValue === null) forget(); // somebody deleted it by hand
  else takeIn(e.newValue);
});
addEventListener("pageshow", (e) => e.persisted && takeIn(null)); // nobody told it anything while it was away

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
  update((now, stamp) => ({ ...now, choices: { ...now.choices, ...change }, at: stamped(now.at, change, stamp) }));
}

export function addUpload(upload: Upload) {
  update((now) => ({ ...now, uploads: [...now.uploads, upload] }));
}

/** Changes one upload, if it is still there. */
export function changeUpload(id: string, change: Partial<Upload>) {
  if (!uploads.peek().some((u) => u.id === id)) return;
  update((now, stamp) => ({ ...now, uploads: now.uploads.map((u) => (u.id === id ? changed(u, change, stamp) : u)) }));
}

export function removeUpload(id: string) {
  update((now, stamp) => ({ ...now, uploads: now.uploads.filter((u) => u.id !== id), removed: { ...now.removed, [id]: stamp } }));
}

export function addFeed(feed: KeptFeed) {
  update((now) => ({ ...now, feeds: [...now.feeds, feed] }));
}

/** Changes one feed, if it is still there. */
export function changeFeed(id: string, change: Partial<KeptFeed>) {
  update((now, stamp) => ({ ...now, feeds: now.feeds.map((f) => (f.id === id ? changed(f, change, stamp) : f)) }));
}

export function removeFeed(id: string) {
  update((now, stamp) => ({ ...now, feeds: now.feeds.filter((f) => f.id !== id), removed: { ...now.removed, [id]: stamp } }));
}

/** Takes the server's answer to a question of that time, unless one to a later question is here. */
export function answerTimetable(answer: Timetable, { generation, stamp }: Beginning) {
  update((now) => (now.generation !== generation || (now.at.timetable ?? 0) > stamp ? now : { ...now, timetable: answer, at: { ...now.at, timetable: stamp } }));
}

/** Forgets all of it, in every tab. */
export function forget() {
  update((_, stamp) => ({ ...nothing, generation: stamp }));
  forgetEarlier();
}

function forgetEarlier() {
  try {
    localStorage.removeItem(earlierKey);
  } catch {
    // a browser that keeps nothing
  }
}

if (seen === null && stored(earlierKey) !== null) {
  keep(kept.peek(), null);
  if (!notKept.peek()) forgetEarlier();
}
