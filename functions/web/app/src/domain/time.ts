// Times and dates as plain values. A date is YYYY-MM-DD and a time is minutes after midnight, both in
// South Africa, which has no daylight saving: no function here asks the browser for its time zone.

export const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

/** The minutes of "08:30", or null where the text is no time of a day. */
export function minutesOf(time: string): number | null {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : null;
}

/** "08:30" for 510. */
export function clock(minutes: number): string {
  const whole = Math.max(0, Math.round(minutes));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

/** 0 for Monday to 6 for Sunday, or -1 where the text is no English weekday. */
export function weekdayIndex(day: string | undefined): number {
  return day === undefined ? -1 : (weekdays as readonly string[]).indexOf(day);
}

const dayLength = 86_400_000;

/** Days since 1970-01-01, or null where the text is no date. */
export function dayNumber(date: string | undefined): number | null {
  const parts = date === undefined ? null : /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  if (!parts) return null;
  const at = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return new Date(at).toISOString().slice(0, 10) === date ? at / dayLength : null;
}

/** The date of a day number. */
export function dateOf(day: number): string {
  return new Date(day * dayLength).toISOString().slice(0, 10);
}

/** The date so many days later. A text that is no date comes back as it is. */
export function addDays(date: string, days: number): string {
  const day = dayNumber(date);
  return day === null ? date : dateOf(day + days);
}

/** 0 for a Monday to 6 for a Sunday, or -1 where the text is no date. */
export function weekdayOfDate(date: string): number {
  const day = dayNumber(date);
  return day === null ? -1 : (((day + 3) % 7) + 7) % 7;
}

/** How many days from one date to the other, or null where one of them is no date. */
export function daysBetween(from: string, to: string): number | null {
  const a = dayNumber(from);
  const b = dayNumber(to);
  return a === null || b === null ? null : b - a;
}

export interface Moment {
  date: string;
  minutes: number;
}

/** What the clocks in South Africa show at a time given in milliseconds since 1970. */
export function johannesburg(epoch: number): Moment {
  const there = new Date(epoch + 2 * 3_600_000).toISOString();
  return { date: there.slice(0, 10), minutes: minutesOf(there.slice(11, 16)) ?? 0 };
}
