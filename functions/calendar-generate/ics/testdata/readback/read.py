"""Reads an iCalendar file from standard input with icalendar and dateutil and writes what it says as
JSON, with every occurrence as a pair of moments in UTC."""
import json
import sys
from datetime import timezone

from dateutil import rrule
from icalendar import Calendar


def occurrences(event):
    """dateutil refuses an UNTIL that is not in UTC, and an EXDATE in another zone than DTSTART's."""
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    dates = rrule.rruleset()
    if "RRULE" in event:
        dates.rrule(rrule.rrulestr(event["RRULE"].to_ical().decode(), dtstart=start))
    else:
        dates.rdate(start)
    excluded = event.get("EXDATE", [])
    for group in excluded if isinstance(excluded, list) else [excluded]:
        for date in group.dts:
            dates.exdate(date.dt)
    utc = lambda t: t.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [[utc(at), utc(at + (end - start))] for at in dates]


def read(component):
    return {
        "uid": str(component["UID"]),
        "summary": str(component["SUMMARY"]),
        "location": str(component.get("LOCATION", "")),
        "description": str(component.get("DESCRIPTION", "")),
        "categories": [str(c) for c in component["CATEGORIES"].cats],
        "sequence": int(component["SEQUENCE"]),
        "alarms": [int(a["TRIGGER"].dt.total_seconds()) // 60 for a in component.walk("VALARM")],
        "occurrences": occurrences(component),
    }


calendar = Calendar.from_ical(sys.stdin.buffer.read())
json.dump({"name": str(calendar.get("X-WR-CALNAME", "")), "events": [read(e) for e in calendar.walk("VEVENT")]}, sys.stdout)
