"""Reads a JSON list of iCalendar files from standard input with icalendar and dateutil and writes what
each says as JSON, with every occurrence as a pair of moments in UTC, or {"refused": why}."""
import itertools
import json
import sys
from datetime import timezone

from dateutil import rrule
from icalendar import Calendar

MOST = 1000  # occurrences of an event that never ends


def utc(time):
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    return [[utc(at), utc(at + (end - start))] for at in itertools.islice(dates, MOST)]


def read_event(component):
    if component.errors:
        raise ValueError(component.errors)
    return {
        "uid": str(component["UID"]),
        "summary": str(component["SUMMARY"]),
        "location": str(component.get("LOCATION", "")),
        "description": str(component.get("DESCRIPTION", "")),
        "categories": [str(c) for c in component["CATEGORIES"].cats],
        "color": str(component.get("COLOR", "")),
        "sequence": int(component["SEQUENCE"]),
        "alarms": [int(a["TRIGGER"].dt.total_seconds()) // 60 for a in component.walk("VALARM")],
        "occurrences": occurrences(component),
    }


def read(text):
    try:
        calendar = Calendar.from_ical(text.encode())
        return {
            "name": str(calendar.get("X-WR-CALNAME", "")),
            "description": str(calendar.get("DESCRIPTION", "")),
            "events": [read_event(e) for e in calendar.walk("VEVENT")],
        }
    except Exception as error:  # whatever it is that this program does not take
        return {"refused": repr(error)}


json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
