// The campus of a lecture. The timetable prints one with each module, and a venue's text may name another.

import type { Entry } from "./entry";

const names: [RegExp, string][] = [
  [/\bhatf(ield)?\b/i, "Hatfield"],
  [/\bgroenkloof\b|\bgk\b/i, "Groenkloof"],
  [/\bprinshof\b/i, "Prinshof"],
  [/\bmamelodi\b/i, "Mamelodi"],
  [/\bonderstepoort\b|\bop campus\b/i, "Onderstepoort"],
  [/\bhillcrest\b|\blc de villiers\b/i, "Hillcrest"],
  [/\bsouth campus\b/i, "South Campus"],
  [/\bgibs\b|\billovo\b/i, "Illovo"],
];

/** The campus that a text names, or "" where it names none that we know, or several. */
export function campusIn(text: string): string {
  const found = names.filter(([pattern]) => pattern.test(text));
  return found.length === 1 ? found[0]![1] : "";
}

/** Where an entry is held as far as that can be told: what its venues name goes before what its module's row prints. */
export function campusOf(entry: Entry): string {
  const venues = new Set(entry.venues.map(campusIn).filter((name) => name !== ""));
  if (venues.size > 1) return "";
  return [...venues][0] ?? campusIn(entry.campus ?? "");
}
