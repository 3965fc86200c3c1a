/**
 * What the page knows, as signals. All of it is kept in localStorage as it changes, so that a reload, a closed tab or a
 * dead battery loses nothing, and the timetable can be read without a network. Files that were not sent yet are kept
 * in IndexedDB (waiting.ts), for localStorage takes only texts.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import { assignColours, type Colour } from "../domain/colours";
import { newest } from "./newest";
import { noChoices, type Choices, type KeptFeed, type Upload } from "./types";

const key = "schedgen/1";

interface Kept {
  uploads: Upload[];
  choices: Choices;
  feeds: KeptFeed[];
}

/** Reads what an earlier visit kept. What cannot be read is as if nothing had been kept. */
export function read(text: string | null): Kept {
  const none: Kept = { uploads: [], choices: noChoices, feeds: [] };
  if (!text) return none;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    return {
      uploads: Array.isArray(kept.uploads) ? kept.uploads : [],
      choices: { ...noChoices, ...kept.choices },
      feeds: Array.isArray(kept.feeds) ? kept.feeds : [],
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

/** All events of the timetables that are here, of each semester and kind those of the newest upload. The sample gives way. */
export const events = computed(() => {
  const own = uploads.value.filter((u) => !u.sample);
  return newest(own.some((u) => u.events.length > 0) ? own : uploads.value);
});

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
  uploads.value = uploads.value.map((u) => (u.id === id ? { ...u, ...change } : u));
}

effect(() => {
  const text = JSON.stringify({ uploads: uploads.value, choices: choices.value, feeds: feeds.value } satisfies Kept);
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
  // Together: kept one by one, the first would be written back beside the old others.
  batch(() => {
    uploads.value = kept.uploads;
    choices.value = kept.choices;
    feeds.value = kept.feeds;
  });
});
