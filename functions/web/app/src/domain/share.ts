// A week in the address of a link: all of it is in the part after #, so no server keeps or sees it. The form is compact,
// has a version and a checksum, and whatever is not exactly what encodeWeek writes is refused.

import { type Entry, slotOf } from "./entry";
import { clock, weekdays } from "./time";

/** What a friend sees of a lecture. */
export interface SharedClass {
  module: string;
  activity: string;
  group: string;
  venue: string;
  semester: string;
  day: number;
  start: number;
  end: number;
}

export interface SharedWeek {
  /** Whose week it is, in the student's own words; may be empty. */
  name: string;
  year: number;
  classes: SharedClass[];
}

const version = 1;
const maxClasses = 200;
const maxText = 120;
const maxTexts = maxClasses * 5;
const firstYear = 2000;

/** A link is longer than this only if it is none of ours. */
export const maxLength = 40_000;

/** The lectures of a timetable that have a day and a time. */
export function classesOf(entries: Entry[]): SharedClass[] {
  return entries.flatMap((entry) => {
    const slot = entry.kind === "lecture" ? slotOf(entry) : null;
    const { module, activity, group, venue, semester = "" } = entry;
    return slot ? [{ module, activity, group, venue, semester, ...slot }] : [];
  });
}

/** A shared class as an entry, so that the same grid shows it. */
export function entryOfShared(shared: SharedClass, at: number): Entry {
  const { module, activity, group, venue, semester } = shared;
  return {
    id: `shared-${at}`,
    kind: "lecture",
    module,
    activity,
    group,
    venue,
    semester,
    day: weekdays[shared.day]!,
    startTime: clock(shared.start),
    endTime: clock(shared.end),
    endTimeEstimated: false,
    venues: venue === "" ? [] : [venue],
    isRecurring: true,
  };
}

class Writer {
  readonly bytes: number[] = [];

  number(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.bytes.push((rest & 127) | 128);
    this.bytes.push(rest);
  }

  text(value: string): void {
    const utf8 = new TextEncoder().encode(value);
    this.number(utf8.length);
    this.bytes.push(...utf8);
  }
}

class Garbage extends Error {}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  number(most: number): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 21 || (shift > 0 && byte === 0)) throw new Garbage();
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (value > most) throw new Garbage();
    return value;
  }

  text(): string {
    const length = this.number(maxText * 4);
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    if (bytes.length !== length) throw new Garbage();
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text.length > maxText) throw new Garbage();
    return text;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }
}

function checksum(bytes: ArrayLike<number>): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) h = Math.imul(h ^ bytes[at]!, 0x01000193);
  return h >>> 0;
}

/** Cuts a text to what a link takes, and not through the middle of a character. */
function clip(text: string): string {
  let clipped = "";
  for (const character of text) {
    if (clipped.length + character.length > maxText) break;
    clipped += character;
  }
  return clipped;
}

const fields = ["module", "activity", "group", "venue", "semester"] as const;

/** Writes a week for the address of a link. null for more than a link holds, and than any student has. */
export function encodeWeek(week: SharedWeek): string | null {
  const { classes } = week;
  if (classes.length > maxClasses) return null;
  const used = classes.flatMap((one) => fields.map((field) => clip(one[field])));
  const texts = [...new Set(used)];
  const writer = new Writer();
  writer.text(clip(week.name));
  writer.number(Math.max(0, week.year - firstYear));
  writer.number(texts.length);
  for (const text of texts) writer.text(text);
  writer.number(classes.length);
  for (const one of classes) {
    for (const field of fields) writer.number(texts.indexOf(clip(one[field])));
    writer.number(one.day);
    writer.number(one.start);
    writer.number(one.end - one.start);
  }
  const sum = checksum(writer.bytes);
  const text = toBase64([version, ...writer.bytes, sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24]);
  return text.length <= maxLength ? text : null;
}

/** Reads the part of a link that encodeWeek wrote; null for anything else. */
export function decodeWeek(text: string): SharedWeek | null {
  const bytes = text.length <= maxLength ? fromBase64(text) : null;
  if (bytes === null || bytes.length < 5 || bytes[0] !== version) return null;
  const body = bytes.subarray(1, -4);
  const sum = new DataView(bytes.buffer, bytes.length - 4).getUint32(0, true);
  if (checksum(body) !== sum) return null;
  try {
    return readWeek(new Reader(body));
  } catch {
    return null; // a text that is no UTF-8, or Garbage
  }
}

function readWeek(reader: Reader): SharedWeek {
  const name = reader.text();
  const year = firstYear + reader.number(200);
  const texts = Array.from({ length: reader.number(maxTexts) }, () => reader.text());
  const classes = Array.from({ length: reader.number(maxClasses) }, () => readClass(reader, texts));
  if (!reader.done) throw new Garbage();
  return { name, year, classes };
}

function readClass(reader: Reader, texts: string[]): SharedClass {
  const [module, activity, group, venue, semester] = fields.map(() => texts[reader.number(texts.length - 1)]!) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const day = reader.number(6);
  const start = reader.number(24 * 60 - 1);
  const end = start + reader.number(24 * 60 - 1 - start);
  if (end <= start) throw new Garbage();
  return { module, activity, group, venue, semester, day, start, end };
}

function toBase64(bytes: number[]): string {
  const binary = bytes.map((byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch {
    return null; // not a length that base64 has
  }
}
