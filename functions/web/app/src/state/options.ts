import type { Event, Options } from "../api/client";
import type { Choices } from "./types";

/**
 * The choices in the form that the API takes. Groups that the timetable no longer has are left away: the API refuses what
 * does not exist. A module that is not taken is named as left out, so that those of later timetables are in.
 */
export function optionsOf(choices: Choices, events: Event[]): Options {
  const out = new Set(choices.modulesOut);
  const there = new Set(events.map((e) => groupName(e.module, e.group)));
  const groups = Object.entries(choices.groups)
    .map(([module, byKind]) => [module, Object.values(byKind).filter((group) => there.has(groupName(module, group)))] as const)
    .filter(([module, chosen]) => chosen.length > 0 && !out.has(module));
  const options: Options = {};
  if (choices.name) options.name = choices.name;
  if (groups.length) options.groups = Object.fromEntries(groups);
  if (out.size) options.without = [...out];
  if (choices.eventsOut.length) options.omit = choices.eventsOut;
  if (choices.title !== "full") options.title = choices.title;
  if (Object.keys(choices.colors).length) options.colors = choices.colors;
  if (choices.reminders.length) options.reminders = choices.reminders;
  if (Object.keys(choices.terms).length) options.terms = choices.terms;
  if (choices.recess) options.recess = choices.recess;
  if (choices.exclude.length) options.exclude = choices.exclude;
  if (choices.changes.length) options.changes = choices.changes;
  if (choices.extra.length) options.extra = choices.extra;
  return options;
}

function groupName(module: string, group: string): string {
  return `${module}\u0000${group.trim().toUpperCase()}`;
}
