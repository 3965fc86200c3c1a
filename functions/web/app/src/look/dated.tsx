import { useEffect } from "preact/hooks";
import type { Calendar } from "../api/client";
import { heldInWeek, type Item, mondayOf, weeksOf } from "../domain/dated";
import { layout } from "../domain/grid";
import { addDays, dayNumber, weekdayOfDate } from "../domain/time";
import { type SpecialDay, specialDates } from "../domain/year";
import { href } from "../router";
import { Trouble, useAttempt } from "../shell/attempt";
import { Icon } from "../shell/icon";
import { choices, colours, onlySample } from "../state/store";
import { look } from "../texts/look";
import { calendar, loadCalendar, request } from "../state/calendar";
import { filter, now, opened } from "./view";
import { WeekGrid } from "./week-grid";
import { loadYear, university } from "./year";

const text = look.dated;

/** A week by its dates: what the file, the feed and Google show in it, and the days that are not as the others. */
export function DatedWeek({ date }: { date: string }) {
  const attempt = useAttempt();
  useEffect(() => void loadYear(), []);
  useEffect(() => attempt.start(loadCalendar), [request.value]);
  return (
    <>
      {calendar.value ? <Shown calendar={calendar.value} date={date} /> : attempt.busy && <p class="waiting soft">{text.loading}</p>}
      {!calendar.value && <Trouble attempt={attempt} />}
    </>
  );
}

function Shown({ calendar, date }: { calendar: Calendar; date: string }) {
  const items = calendar.items as Item[];
  const weeks = weeksOf(items);
  if (weeks === null) return <p class="card empty">{look.nothing}</p>;
  const today = mondayOf(now.value.date);
  const wanted = dayNumber(date) === null ? today : mondayOf(date);
  const monday = wanted < weeks.first ? weeks.first : wanted > weeks.last ? weeks.last : wanted;
  const held = heldInWeek(items, monday).filter(({ entry }) => filter.shows(entry));
  const special = specialDates(monday, university.value, choices.value);
  return (
    <>
      <Weeks monday={monday} first={weeks.first} last={weeks.last} today={today} />
      {held.length === 0 && <p class="notice">{text.none}</p>}
      <WeekGrid
        week={layout(held)}
        heads={[0, 1, 2, 3, 4, 5, 6].map((day) => headOf(addDays(monday, day), special))}
        colourOf={(module) => colours.value[module]?.id ?? "8"}
        {...(monday === today ? { now: now.value } : {})}
        open={(e) => (opened.value = e)}
      />
      {onlySample.value && <p class="soft">{text.sample}</p>}
      <Notes calendar={calendar} />
    </>
  );
}

/** The way from week to week. Each has an address. */
function Weeks({ monday, first, last, today }: { monday: string; first: string; last: string; today: string }) {
  const to = (week: string) => href("look", `calendar/${week}`);
  return (
    <nav class="weeks" aria-label={text.label}>
      {monday > first ? (
        <a class="button second" href={to(addDays(monday, -7))} aria-label={text.before}>
          <Icon name="back" />
        </a>
      ) : (
        <span class="button second gone" />
      )}
      <h2 aria-live="polite">{text.range(look.shortDate(monday), look.dayMonthYear(addDays(monday, 6)))}</h2>
      {monday < last ? (
        <a class="button second" href={to(addDays(monday, 7))} aria-label={text.after}>
          <Icon name="next" />
        </a>
      ) : (
        <span class="button second gone" />
      )}
      {monday !== today && today >= first && today <= last && (
        <a class="button quiet" href={to(today)}>
          {text.today}
        </a>
      )}
    </nav>
  );
}

function headOf(date: string, special: Map<string, SpecialDay>): { date: string; label: string; mark: string } {
  const day = special.get(date);
  const mark = day ? markOf(day) : "";
  return { date: look.shortDate(date), label: [look.longDate(date, weekdayOfDate(date)), mark].filter(Boolean).join(", "), mark };
}

function markOf(day: SpecialDay): string {
  if (day.what === "follows") return text.follows(day.weekday ?? "");
  return day.name || text[day.what];
}

/** What the calendar says of itself: what it could not place, and what it assumed. */
function Notes({ calendar }: { calendar: Calendar }) {
  const said = [...(calendar.notes ?? []), ...(calendar.warnings ?? []).map((warning) => warning.message)];
  if (said.length === 0) return null;
  return (
    <details class="card">
      <summary>{text.notes}</summary>
      <ul>
        {said.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
