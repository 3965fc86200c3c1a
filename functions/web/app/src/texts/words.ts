/** "1 clash", "2 clashes". */
export function plural(count: number, one: string, many = one + "s"): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "1 entry", "2 entries": what a timetable or a calendar lists. */
export function entries(count: number): string {
  return plural(count, "entry", "entries");
}

/** A moment as the day that it is in South Africa: "9 March 2026". */
export function day(at: string): string {
  return new Date(at).toLocaleDateString("en-ZA", { day: "numeric", month: "long", year: "numeric", timeZone: "Africa/Johannesburg" });
}
