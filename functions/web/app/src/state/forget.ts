import { forgetCalendar } from "./calendar";
import { forget } from "./store";
import { forgetFiles } from "./waiting";

/** Deletes all that this browser keeps of the student, and ends the uploads of all its tabs. */
export async function forgetHere(): Promise<void> {
  forget();
  forgetCalendar();
  await forgetFiles();
}
