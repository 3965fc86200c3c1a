import type { Options } from "../api/client";
import type { TakenGroups } from "../domain/courses";
import type { Choices } from "./types";

/**
 * The choices in the form that the API takes, with the groups taken, which are only those that there are: the API refuses what
 * does not exist. A module that is not taken is named as left out, so that those of later timetables are in.
 */
export function optionsOf(choices: Choices, taken: TakenGroups): Options {
  const out = new Set(choices.modulesOut);
  const groups = Object.entries(taken).filter(([module]) => !out.has(module));
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
