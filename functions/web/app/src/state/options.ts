import type { Options } from "../api/client";
import type { Choices } from "./types";

/** The choices in the form that the API takes. */
export function optionsOf(choices: Choices, modules: string[]): Options {
  const groups = Object.entries(choices.groups)
    .map(([module, byKind]) => [module, Object.values(byKind)] as const)
    .filter(([, chosen]) => chosen.length > 0);
  const out = new Set(choices.modulesOut);
  const options: Options = {};
  if (choices.name) options.name = choices.name;
  if (groups.length) options.groups = Object.fromEntries(groups.filter(([module]) => !out.has(module)));
  if (out.size) options.modules = modules.filter((m) => !out.has(m));
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
