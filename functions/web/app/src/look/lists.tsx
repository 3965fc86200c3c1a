import { byDate, byWeekday, daysLeft, monthsOf, type Month, type MonthDay } from "../domain/agenda";
import type { Entry } from "../domain/entry";
import { weekdayOfDate } from "../domain/time";
import { Icon } from "../shell/icon";
import { colours } from "../state/store";
import { look } from "../texts/look";
import { hoursOf, kindOf, now, opened, sentenceOf, shownDated, shownLectures } from "./view";

/** One event in a list, which opens its details. */
function Row({ e }: { e: Entry }) {
  return (
    <li data-colour={colours.value[e.module]?.id}>
      <button type="button" class={e.endTimeEstimated ? "row estimated" : "row"} aria-haspopup="dialog" onClick={() => (opened.value = e)}>
        <span class="time">{hoursOf(e)}</span>
        <span class="grow">
          <b>{e.module}</b> <span class="what">{[e.activity || e.test, e.group].filter(Boolean).join(" · ")}</span>
          <span class="soft place">{look.venues(e.venues)}</span>
        </span>
        {e.kind === "lecture" && <span class="tag">{look.kind[kindOf(e)]}</span>}
        {(e.warnings ?? []).length > 0 && (
          <span class="tag doubt">
            <Icon name="warn" />
            {look.doubtMark}
          </span>
        )}
      </button>
    </li>
  );
}

/** The lectures of the semester, a list for each weekday. */
export function DayList() {
  return (
    <div class="agenda">
      {byWeekday(shownLectures.value).map((day) => (
        <section class="card" key={day.key}>
          <h2>{look.days[day.key] ?? look.unplaced}</h2>
          <ul class="list" role="list">
            {day.entries.map((e) => (
              <Row key={e.id} e={e} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** Tests and exams: what comes, the next first, then what is over. */
export function DateList() {
  const today = now.value.date;
  const days = byDate(shownDated.value);
  const over = days.filter((day) => (daysLeft(today, day.key) ?? 0) < 0).reverse();
  const coming = days.filter((day) => !over.includes(day));
  return (
    <>
      {coming.length > 0 && <Dates title={look.coming} days={coming} today={today} />}
      {over.length > 0 && <Dates title={look.over} days={over} today={today} />}
    </>
  );
}

function Dates({ title, days, today }: { title: string; days: ReturnType<typeof byDate>; today: string }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {days.map(({ key, entries }) => {
        const left = daysLeft(today, key);
        return (
          <div class="date" key={key}>
            <h3>
              {key ? look.longDate(key, weekdayOfDate(key)) : look.noDate} {left !== null && left >= 0 && <span class="tag left">{look.left(left)}</span>}
            </h3>
            <ul class="list" role="list">
              {entries.map((e) => (
                <Row key={e.id} e={e} />
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

/** The months in which something is written. */
export function MonthView() {
  return (
    <>
      {monthsOf(shownDated.value).map((month) => (
        <MonthTable key={`${month.year}-${month.month}`} month={month} />
      ))}
    </>
  );
}

function MonthTable({ month }: { month: Month }) {
  return (
    <section class="card">
      <table class="month">
        <caption>{look.month(month.month, month.year)}</caption>
        <thead>
          <tr>
            {look.days.map((day) => (
              <th key={day} scope="col">
                <abbr title={day}>{day.slice(0, 3)}</abbr>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {month.weeks.map((week) => (
            <tr key={week[0]!.date}>
              {week.map((day) => (
                <MonthCell key={day.date} day={day} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function MonthCell({ day }: { day: MonthDay }) {
  if (!day.inMonth) return <td class="outside" />;
  const left = daysLeft(now.value.date, day.date);
  return (
    <td class={left === 0 ? "today" : left !== null && left < 0 ? "over" : undefined}>
      <span class="number">{Number(day.date.slice(8))}</span>
      {day.entries.map((e) => (
        <button
          type="button"
          class="written"
          key={e.id}
          data-colour={colours.value[e.module]?.id}
          aria-haspopup="dialog"
          onClick={() => (opened.value = e)}
        >
          <span class="hidden">{`${sentenceOf(e)}, ${look.left(left ?? -1)}`}</span>
          <b aria-hidden="true">{e.module}</b>
          <span aria-hidden="true">{e.startTime}</span>
        </button>
      ))}
    </td>
  );
}
