import { batch } from "@preact/signals";
import { forgetCalendar } from "./calendar";
import { choices, feeds, uploads } from "./store";
import { forgetTimetable } from "./timetable";
import { noChoices } from "./types";
import { forgetFiles } from "./waiting";

/** Deletes all that this browser keeps of the student. */
export async function forgetHere(): Promise<void> {
  batch(() => {
    uploads.value = [];
    feeds.value = [];
    choices.value = noChoices;
    forgetTimetable();
  });
  forgetCalendar();
  await forgetFiles();
}
