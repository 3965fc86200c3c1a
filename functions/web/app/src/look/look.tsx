import { clashesOf } from "../domain/grid";
import { href, route } from "../router";
import { Icon } from "../shell/icon";
import { colours } from "../state/store";
import { look } from "../texts/look";
import { DatedWeek } from "./dated";
import { Details, Doubts } from "./details";
import { Filters } from "./filters";
import { DateList, DayList, MonthView } from "./lists";
import { SemesterSwitch } from "./semester";
import { Sharing } from "./sharing";
import "./look.css";
import { dated, doubtful, filter, lectures, now, opened, shownDated, shownLectures, titleOf, undecided, week } from "./view";
import { WeekGrid } from "./week-grid";

const views = ["week", "days", "dates", "months"] as const;
/** The views, and the week by dates, which shares a tab with the week. */
type View = (typeof views)[number] | "calendar";

/** The view that the address names, else the week, or the dates of who has no lectures. */
function viewOf(rest: string): View {
  if (rest === "calendar" || rest.startsWith("calendar/")) return "calendar";
  return views.find((view) => view === rest) ?? (lectures.value.length === 0 && dated.value.length > 0 ? "dates" : "week");
}

/** The step that shows the timetable. */
export function Look() {
  const view = viewOf(route.value.rest);
  const weekly = view === "week" || view === "days";
  const tab = view === "calendar" ? "week" : view;
  return (
    <div class="look">
      <nav class="tabs" aria-label={look.views.label}>
        {views.map((one) => (
          <a key={one} href={href("look", one)} aria-current={one === tab ? "page" : undefined}>
            {look.views[one]}
          </a>
        ))}
      </nav>
      <div class="tools">
        {tab === "week" && <WhichWeek view={view} />}
        {weekly && <SemesterSwitch />}
        <div class="buttons">
          <button type="button" class="button second" onClick={() => print()}>
            <Icon name="print" />
            {look.print}
          </button>
          <Sharing />
        </div>
      </div>
      <Filters weekly={weekly} all={view === "calendar"} />
      {view === "calendar" ? <DatedWeek date={route.value.rest.slice("calendar/".length)} /> : weekly ? <Lectures view={view} /> : <Written view={view} />}
      <Details />
    </div>
  );
}

/** The pattern of every week, or one week by its dates. */
function WhichWeek({ view }: { view: View }) {
  const ways = { week: look.dated.every, calendar: look.dated.byDate };
  return (
    <div class="switch" role="group" aria-label={look.dated.label}>
      {(Object.keys(ways) as (keyof typeof ways)[]).map((one) => (
        <a key={one} href={href("look", one)} aria-current={one === view ? "true" : undefined}>
          {ways[one]}
        </a>
      ))}
    </div>
  );
}

function Lectures({ view }: { view: View }) {
  const shown = shownLectures.value;
  if (shown.length === 0) return <p class="card empty">{filter.hidden.value ? look.nothingShown : look.nothing}</p>;
  return (
    <>
      <Remarks />
      {view === "days" ? (
        <DayList />
      ) : (
        <WeekGrid
          week={week.value}
          colourOf={(module) => colours.value[module]?.id ?? "8"}
          now={now.value}
          open={(e) => (opened.value = e)}
        />
      )}
      {view === "week" && <Unplaced />}
      <Doubtful />
    </>
  );
}

/** What a student should do something about: choices to make, and clashes. */
function Remarks() {
  const clashes = clashesOf(week.value);
  return (
    <div class="remarks">
      {undecided.value.length > 0 && (
        <div class="notice">
          <p>{look.toChoose(undecided.value.length)}</p>
          <div class="buttons">
            <a class="button" href={href("choose", "find")}>
              {look.find}
            </a>
            <a class="button second" href={href("choose")}>
              {look.choose}
            </a>
          </div>
        </div>
      )}
      {clashes.length > 0 ? (
        <details class="notice bad">
          <summary>{look.clashes(clashes.length)}</summary>
          <ul>
            {clashes.map(([a, b]) => (
              <li key={a.id + b.id}>
                {a.day} {a.startTime > b.startTime ? a.startTime : b.startTime}: {titleOf(a)} {look.clashesWith(titleOf(b))}
              </li>
            ))}
          </ul>
        </details>
      ) : (
        undecided.value.length === 0 && <p class="notice good">{look.noClashes}</p>
      )}
    </div>
  );
}

function Unplaced() {
  const { unplaced } = week.value;
  if (unplaced.length === 0) return null;
  return (
    <section class="card">
      <h2>{look.unplaced}</h2>
      <p>{look.unplacedHint}</p>
      <ul>
        {unplaced.map((e) => (
          <li key={e.id}>
            <button type="button" class="button quiet" aria-haspopup="dialog" onClick={() => (opened.value = e)}>
              {titleOf(e)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** All that was read with doubt, with what is printed there. */
function Doubtful() {
  if (doubtful.value.length === 0) return null;
  return (
    <details class="card doubts">
      <summary>{look.doubts(doubtful.value.length)}</summary>
      <p>{look.doubtsHint}</p>
      {doubtful.value.map((e) => (
        <div key={e.id}>
          <h3>{titleOf(e)}</h3>
          <Doubts e={e} />
        </div>
      ))}
    </details>
  );
}

function Written({ view }: { view: View }) {
  if (dated.value.length === 0) return <p class="card empty">{look.noDates}</p>;
  if (shownDated.value.length === 0) return <p class="card empty">{look.nothingShown}</p>;
  return (
    <>
      {view === "months" ? <MonthView /> : <DateList />}
      <Doubtful />
    </>
  );
}
