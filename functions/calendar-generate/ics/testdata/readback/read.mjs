// Reads an iCalendar file from standard input with ical.js and writes what it says as JSON, with
// every occurrence as a pair of moments in UTC.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const text = readFileSync(0, "utf8");
const root = new ICAL.Component(ICAL.parse(text));
for (const zone of root.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(new ICAL.Timezone(zone), zone.getFirstPropertyValue("tzid"));
}
const utc = (time) => new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");

const events = root.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const length = event.endDate.subtractDateTz(event.startDate);
  const occurrences = [];
  const dates = event.iterator();
  for (let at = dates.next(); at && occurrences.length < 1000; at = dates.next()) {
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
    sequence: event.sequence,
    alarms: component.getAllSubcomponents("valarm").map((a) => a.getFirstPropertyValue("trigger").toSeconds() / 60),
    occurrences,
  };
});
const name = root.getFirstPropertyValue("x-wr-calname") ?? "";
process.stdout.write(JSON.stringify({ name, events }));
