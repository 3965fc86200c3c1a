import type { Event } from "../api/client";
import { addUpload, uploads } from "../state/store";
import { uploadTexts } from "../texts/upload";

/** What a row of the sample has beside its module: activity, group, day, start, end, venue. */
type Row = [activity: string, group: string, day: string, start: string, end: string, venue: string];

/** A first-year student's semester: alternatives of every kind, a clash to solve, and one row to check. */
const lectures: Record<string, Row[]> = {
  "COS 132": [
    ["L1", "G01", "Monday", "08:30", "09:20", "IT 4-1"],
    ["L2", "G01", "Wednesday", "10:30", "11:20", "IT 4-1"],
    ["L1", "G02", "Tuesday", "13:30", "14:20", "IT 4-2"],
    ["L2", "G02", "Thursday", "13:30", "14:20", "IT 4-2"],
    ["P1", "P01", "Tuesday", "14:30", "17:20", "Informatorium Blue Lab 1"],
    ["P1", "P02", "Thursday", "14:30", "17:20", "Informatorium Blue Lab 1"],
    ["P1", "P03", "Friday", "08:30", "11:20", "Informatorium Green Lab"],
  ],
  "WTW 114": [
    ["L1", "G01", "Monday", "09:30", "10:20", "Thuto 1-1"],
    ["L2", "G01", "Tuesday", "08:30", "09:20", "Thuto 1-1"],
    ["L3", "G01", "Thursday", "11:30", "12:20", "Thuto 1-1"],
    ["L1", "G02", "Monday", "13:30", "14:20", "Thuto 2-1"],
    ["L2", "G02", "Wednesday", "12:30", "13:20", "Thuto 2-1"],
    ["L3", "G02", "Friday", "12:30", "13:20", "Thuto 2-1"],
    ["T1", "T01", "Monday", "14:30", "16:20", "Centenary 3"],
    ["T1", "T02", "Friday", "13:30", "15:20", "Centenary 3"],
  ],
  "PHY 114": [
    ["L1", "G01", "Monday", "08:30", "09:20", "Muller Hall"],
    ["L2", "G01", "Wednesday", "08:30", "09:20", "Muller Hall"],
    ["L1", "G02", "Tuesday", "10:30", "11:20", "Muller Hall"],
    ["L2", "G02", "Wednesday", "09:30", "10:20", "Muller Hall"],
    ["P1", "P01", "Wednesday", "14:30", "17:20", "Natural Sciences 1 3-18"],
    ["P1", "P02", "Thursday", "14:30", "17:20", "Natural Sciences 1 3-18"],
  ],
  "AIM 111": [
    ["L1", "G01", "Thursday", "09:30", "10:20", "IT 2-24"],
    ["P1", "P01", "Friday", "11:30", "13:20", "Hillcrest: Main Lab"],
  ],
};

const tests: [module: string, test: string, month: number, day: number, start: string, end: string, venue: string][] = [
  ["COS 132", "Test 1", 3, 21, "09:00", "10:30", "Informatorium Blue Lab 1"],
  ["WTW 114", "Test 1", 3, 14, "08:00", "09:30", "Thuto 1-1"],
  ["PHY 114", "Test 1", 4, 25, "12:30", "14:00", "Muller Hall"],
  ["WTW 114", "Test 2", 5, 9, "08:00", "09:30", "Thuto 1-1"],
];

const common = { endTimeEstimated: false, campus: "HATFIELD", lang: "E" };

function lectureEvents(semester: "S1" | "S2"): Event[] {
  return Object.entries(lectures).flatMap(([module, rows]) =>
    rows.map(([activity, group, day, startTime, endTime, venue]): Event => ({
      ...common, id: `sample-${module}-${activity}-${group}-${day}`.replaceAll(" ", "-").toLowerCase(), kind: "lecture", module, activity, group, day, startTime, endTime, venue,
      venues: [venue], semester, isRecurring: true, ...(module === "AIM 111" && group === "P01" ? { campus: "HILLCREST", warnings: [doubt] } : {}),
    })),
  );
}

/** What a warning looks like, for somebody who has met none yet. */
const doubt = { code: "UNKNOWN_VENUE", message: "The venue is printed as “Hillcrest: Main Lab”. Check where that is.", page: 1, row: 22 };

function testEvents(year: number, later: number): Event[] {
  return tests.map(([module, test, month, day, startTime, endTime, venue]): Event => ({
    ...common, id: `sample-${module}-${test}-${month}`.replaceAll(" ", "-").toLowerCase(), kind: "test", module, activity: test, test, group: "",
    date: `${year}-${String(month + later).padStart(2, "0")}-${String(day).padStart(2, "0")}`, startTime, endTime, venue, venues: [venue], isRecurring: false,
  }));
}

/** Adds the sample timetable, of the half of the year that is now, unless it is there. */
export function addSample(now = new Date()): void {
  if (uploads.value.some((u) => u.sample)) return;
  const second = now.getMonth() >= 6;
  const events = [...lectureEvents(second ? "S2" : "S1"), ...testEvents(now.getFullYear(), second ? 5 : 0)];
  addUpload({ id: `sample-${now.getTime().toString(36)}`, name: uploadTexts.sampleName, size: 0, addedAt: now.toISOString(), state: "done", kind: "lecture", sample: events });
}
