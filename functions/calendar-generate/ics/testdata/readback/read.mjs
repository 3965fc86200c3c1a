// Reads a JSON list of iCalendar files from standard input with ical.js and writes what each says as
// JSON, with every occurrence as a pair of moments in UTC, or {"refused": why}.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const most = 1000; // occurrences of an event that never ends
const utc = (time) => new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");

function read(text) {
  const root = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of root.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(new ICAL.Timezone(zone), zone.getFirstPropertyValue("tzid"));
  }
  return {
    name: root.getFirstPropertyValue("x-wr-calname") ?? "",
    description: root.getFirstPropertyValue("description") ?? "",
    events: root.getAllSubcomponents("vevent").map(readEvent),
  };
}

function readEvent(component) {
  const event = new ICAL.Event(component);
  const length = event.endDate.subtractDateTz(event.startDate);
  const occurrences = [];
  const dates = event.iterator();
  for (let at = dates.next(); at && occurrences.length < most; at = dates.next()) {
    const end = at.clone();
    end.addDuration(length);
    occurrences.push([utc(at), utc(end)]);
  }
  return {
    uid: event.uid,
    summary: event.summary,
    location: event.location ?? "",
    description: event.description ?? "",
    categories: component.getAllProperties("categories").flatMap((p) => p.getValues()),
    color: component.getFirstPropertyValue("color") ?? "",
    sequence: event.sequence,
    alarms: component.getAllSubcomponents("valarm").map((a) => a.getFirstPropertyValue("trigger").toSeconds() / 60),
    occurrences,
  };
}

const readings = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  try {
    return read(text);
  } catch (error) {
    return { refused: String(error) };
  }
});
process.stdout.write(JSON.stringify(readings));
