/** Asks the search, and what comes of it. */
import { computed, effect, signal } from "@preact/signals";
import { alternativesOf, type Alternatives, chosenOf, letterOf, withGroup } from "../domain/courses";
import { type Preference } from "../domain/search/cost";
import { type Answer, defaultSteps, type Found, type Question, search } from "../domain/search/search";
import { scriptAddress } from "../shell/trusted";
import { choices, choose, events } from "../state/store";
import type { Choices } from "../state/types";
import workerAddress from "./worker?worker&url";

/** What there is to choose of the modules that are taken. */
export const offers = computed(() => {
  const { modulesOut, eventsOut } = choices.value;
  return alternativesOf(events.value.filter((e) => !modulesOut.includes(e.module) && !eventsOut.includes(e.id)));
});

/** The group that is taken of these; a single one goes without saying. */
export function takenOf(one: Alternatives): string | undefined {
  if (one.groups.length === 1) return one.groups[0]!.name;
  return chosenOf(choices.value.groups[one.module] ?? {}, one);
}

export function isLocked(one: Alternatives): boolean {
  return (choices.value.locked[one.module] ?? []).includes(letterOf(one));
}

/** Takes a group, or with undefined leaves it open again, which also unlocks it. */
export function take(one: Alternatives, name: string | undefined) {
  choose({ groups: taking(choices.value.groups, one, name) });
  if (name === undefined) lock(one, false);
}

function taking(groups: Choices["groups"], one: Alternatives, name: string | undefined): Choices["groups"] {
  return { ...groups, [one.module]: withGroup(groups[one.module] ?? {}, one, name) };
}

export function lock(one: Alternatives, locked: boolean) {
  const others = (choices.value.locked[one.module] ?? []).filter((letter) => letter !== letterOf(one));
  choose({ locked: { ...choices.value.locked, [one.module]: locked ? [...others, letterOf(one)] : others } });
}

export const preference = signal<Preference>("mornings");
export const language = signal<"" | "E" | "A">("");

type State = { state: "idle" | "running" } | { state: "found"; answer: Answer; preference: Preference; alternatives: Alternatives[] };

export const finding = signal<State>({ state: "idle" });

let worker: Worker | null = null;

/** What the choice of groups was before the last timetable was used. */
export const before = signal<Choices["groups"] | null>(null);

/** What is found in a timetable says nothing of another one. */
const searched = computed(() => events.value.map((e) => e.id).join());
effect(() => {
  void searched.value;
  worker?.terminate();
  finding.value = { state: "idle" };
  before.value = null;
});

function question(): Question {
  const locks: Record<string, string> = {};
  for (const one of offers.value) {
    const name = takenOf(one);
    if (name !== undefined && isLocked(one)) locks[one.key] = name;
  }
  return { alternatives: offers.value, preference: preference.value, best: 5, steps: defaultSteps, locks, language: language.value };
}

/** Searches anew. A search that is still running is given up. */
export function find() {
  const asked = question();
  const done = (answer: Answer) => (finding.value = { state: "found", answer, preference: asked.preference, alternatives: asked.alternatives });
  const here = () => void setTimeout(() => done(search(asked)));
  finding.value = { state: "running" };
  worker?.terminate();
  try {
    // Built, it is a plain script, which browsers of 2016 run, too.
    worker = new Worker(scriptAddress(workerAddress), import.meta.env.DEV ? { type: "module" } : undefined);
  } catch {
    here(); // a browser without workers
    return;
  }
  worker.onmessage = (message: MessageEvent<Answer>) => done(message.data);
  worker.onerror = here; // its script did not load, or does not run
  worker.postMessage(asked);
}

export function use(found: Found) {
  before.value = choices.value.groups;
  let { groups } = choices.value;
  for (const one of offers.value) {
    const name = found.groups[one.key]?.[0];
    if (name !== undefined && one.groups.length > 1 && one.family !== "") groups = taking(groups, one, name);
  }
  choose({ groups });
}

export function undo() {
  if (before.value) choose({ groups: before.value });
  before.value = null;
}

/** Whether the found timetable is what is chosen now. */
export function isCurrent(found: Found): boolean {
  return offers.value.every((one) => one.groups.length === 1 || (found.groups[one.key] ?? []).includes(takenOf(one) ?? ""));
}
