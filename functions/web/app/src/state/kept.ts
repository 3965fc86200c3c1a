/**
 * What the browser keeps of a student, as a value. Each tab has a version of its own and hears of the others' late, so
 * every change carries a stamp, and merge() merges any two versions. It is commutative, associative and idempotent
 * (a state-based CRDT): whatever reaches a tab late or twice, tabs that have heard of the same changes hold the same.
 */
import type { Timetable } from "../api/client";
import { noChoices, type Choices, type KeptFeed, type Upload } from "./types";

/** When each of several things was changed, by name; what is not named, never. */
export type Stamps = Record<string, number>;

export interface Kept {
  /** The stamp of the last time that everything was forgotten; 0 where that never was. */
  generation: number;
  /** The highest stamp that was given. */
  clock: number;
  uploads: Upload[];
  feeds: KeptFeed[];
  /** The uploads and feeds that were removed, by id. */
  removed: Stamps;
  choices: Choices;
  timetable: Timetable | null;
  /** Of each of the choices, and of the timetable. */
  at: Stamps;
}

export const nothing: Kept = { generation: 0, clock: 0, uploads: [], feeds: [], removed: {}, choices: noChoices, timetable: null, at: {} };

/**
 * So many removals are remembered, the latest. An upload or feed comes back only from a tab that still has it and slept
 * through as many removals after it: the server has deleted it by then, and it can be removed again.
 */
export const mostRemoved = 500;

/** Reads what write() wrote, or an earlier page without stamps. What cannot be read is as if nothing had been kept. */
export function read(text: string | null): Kept {
  if (!text) return nothing;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    return {
      generation: Number(kept.generation) || 0,
      clock: Number(kept.clock) || 0,
      uploads: Array.isArray(kept.uploads) ? kept.uploads : [],
      feeds: Array.isArray(kept.feeds) ? kept.feeds : [],
      removed: { ...kept.removed },
      choices: { ...noChoices, ...kept.choices },
      timetable: Array.isArray(kept.timetable?.events) && Array.isArray(kept.timetable?.uploads) ? kept.timetable : null,
      at: { ...kept.at },
    };
  } catch {
    return nothing;
  }
}

/**
 * Writes it. Versions that are equal are written the same, in whatever order their changes came: tabs that agree have
 * nothing to tell each other.
 */
export function write(kept: Kept): string {
  const item = <T extends { at?: Stamps }>(one: T) => inOrder(one.at ? { ...one, at: inOrder(one.at) } : one);
  const { uploads, feeds, removed, choices, at } = kept;
  const parts = { removed: inOrder(removed), choices: inOrder(choices), at: inOrder(at) };
  return JSON.stringify(inOrder({ ...kept, uploads: uploads.map(item), feeds: feeds.map(item), ...parts }));
}

function inOrder<T extends object>(one: T): T {
  return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}

/**
 * The stamp of the next change: later than all that this version knows, and, as the tabs of a browser share its clock,
 * later than what another tab changed before without having told yet.
 */
export function nextStamp(kept: Kept, now: number): number {
  return Math.max(now, kept.clock + 1);
}

/** The same with some of its fields changed. */
export function changed<T extends { at?: Stamps }>(one: T, change: Partial<T>, stamp: number): T {
  return { ...one, ...change, at: stamped(one.at, change, stamp) };
}

export function stamped(at: Stamps | undefined, change: object, stamp: number): Stamps {
  return { ...at, ...Object.fromEntries(Object.keys(change).map((field) => [field, stamp])) };
}

/**
 * Merges two versions. After everything was forgotten, nothing of before counts. Else every upload and feed of either is
 * in it, but for those that either removed, and each field is that of its last change.
 */
export function merge(ours: Kept, theirs: Kept): Kept {
  const clock = Math.max(ours.clock, theirs.clock);
  if (ours.generation !== theirs.generation) return { ...(ours.generation > theirs.generation ? ours : theirs), clock };
  const removed = bounded(mergeStamps(ours.removed, theirs.removed));
  return {
    generation: ours.generation,
    clock,
    uploads: union(ours.uploads, theirs.uploads, removed, (upload) => upload.addedAt),
    feeds: union(ours.feeds, theirs.feeds, removed, (feed) => feed.createdAt),
    removed,
    choices: mergeFields(ours.choices, theirs.choices, ours.at, theirs.at),
    timetable: mergeFields({ timetable: ours.timetable }, { timetable: theirs.timetable }, ours.at, theirs.at).timetable,
    at: mergeStamps(ours.at, theirs.at),
  };
}

interface Item {
  id: string;
  at?: Stamps;
}

/** The items of both lists without the removed ones, the oldest first. */
function union<T extends Item>(ours: T[], theirs: T[], removed: Stamps, when: (one: T) => string): T[] {
  const all = new Map(ours.map((one) => [one.id, one]));
  for (const their of theirs) {
    const our = all.get(their.id);
    all.set(their.id, our ? mergeItem(our, their) : their);
  }
  const order = (one: T) => `${when(one)} ${one.id}`;
  return [...all.values()].filter((one) => removed[one.id] === undefined).sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function mergeItem<T extends Item>(ours: T, theirs: T): T {
  const one = mergeFields(ours, { ...theirs, at: ours.at }, ours.at, theirs.at);
  const at = theirs.at && mergeStamps(ours.at ?? {}, theirs.at);
  return !at || at === ours.at ? one : { ...one, at };
}

/** Each field as it was changed last. Of values changed at the same time, or never, the higher rank counts. */
function mergeFields<T extends object>(ours: T, theirs: T, ourAt: Stamps = {}, theirAt: Stamps = {}): T {
  const fields = Object.keys({ ...ours, ...theirs }) as (keyof T & string)[];
  const newer = fields.filter((field) => {
    const behind = (theirAt[field] ?? 0) - (ourAt[field] ?? 0);
    return behind === 0 ? rank(theirs[field]) > rank(ours[field]) : behind > 0;
  });
  return newer.length === 0 ? ours : { ...ours, ...Object.fromEntries(newer.map((field) => [field, theirs[field]])) };
}

function rank(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

/** The later of both stamps of each name. */
function mergeStamps(ours: Stamps, theirs: Stamps): Stamps {
  const newer = Object.entries(theirs).filter(([name, stamp]) => stamp > (ours[name] ?? -1));
  return newer.length === 0 ? ours : { ...ours, ...Object.fromEntries(newer) };
}

function bounded(removed: Stamps): Stamps {
  const all = Object.entries(removed);
  if (all.length <= mostRemoved) return removed;
  return Object.fromEntries(all.sort(([a, at], [b, bt]) => bt - at || (a < b ? -1 : 1)).slice(0, mostRemoved));
}
