import { arriving, send } from "../api/client";
import { fileRequest } from "../state/request";

/** A calendar file, and what its headers say of it. */
export interface CalendarFile {
  name: string;
  content: Blob;
  events: number;
  clashes: number;
  warnings: number;
}

/** Makes the calendar file of all that is chosen. */
export async function makeFile(): Promise<CalendarFile> {
  return send("/api/generate/ics", { method: "POST", accept: "text/calendar", body: fileRequest() }, async (answer) => {
    const number = (name: string) => Number(answer.headers.get(name) ?? 0);
    return {
      name: nameIn(answer.headers.get("Content-Disposition")), content: await arriving(answer.blob()), events: number("X-Schedgen-Events"),
      clashes: number("X-Schedgen-Clashes"), warnings: number("X-Schedgen-Warnings"),
    };
  });
}

/** The file's name in a Content-Disposition header. */
export function nameIn(header: string | null): string {
  const coded = /filename\*=utf-8''([^;]+)/i.exec(header ?? "")?.[1];
  const plain = /filename="?([^";]+)"?/i.exec(header ?? "")?.[1];
  try {
    return coded ? decodeURIComponent(coded) : (plain ?? "timetable.ics");
  } catch {
    return plain ?? "timetable.ics";
  }
}
