import { useSignal } from "@preact/signals";
import { assignColours } from "../domain/colours";
import { type Slot, slotOf } from "../domain/entry";
import { layoutWeek } from "../domain/grid";
import { freeInCommon } from "../domain/free";
import { decodeWeek, entryOfShared, type SharedWeek } from "../domain/share";
import { heldIn, semesterOn, semestersOf } from "../domain/terms";
import { clock } from "../domain/time";
import { href, route } from "../router";
import { hasEvents } from "../state/store";
import { look } from "../texts/look";
import "./look.css";
import { SemesterSwitch } from "./semester";
import { lectures, now } from "./view";
import { WeekGrid } from "./week-grid";

const text = look.shared;

/** The page of a link to a friend's week: to look at, and to find when both are free. */
export function Shared() {
  const week = decodeWeek(route.value.rest);
  if (week === null) {
    return (
      <section class="card empty">
        <h2>{text.bad}</h2>
        <p>{text.badHint}</p>
      </section>
    );
  }
  return <Friend week={week} />;
}

function Friend({ week }: { week: SharedWeek }) {
  const entries = week.classes.map(entryOfShared);
  const semesters = semestersOf(entries.map((e) => e.semester));
  const today = semesterOn(now.value.date);
  const semester = useSignal(semesters.includes(today) ? today : (semesters[0] ?? today));
  const colours = assignColours([...new Set(entries.map((e) => e.module))], {});
  const both = [entries, lectures.value].map((list) => list.filter((e) => heldIn(e.semester, semester.value)).map(slotOf).filter((slot) => slot !== null));
  const free = hasEvents.value ? freeInCommon(both) : [];
  return (
    <div class="look">
      <h2>{text.whose(week.name)}</h2>
      <p class="soft">{text.readOnly(week.year)}</p>
      <SemesterSwitch all={semesters} shown={semester.value} pick={(one) => (semester.value = one)} />
      <WeekGrid week={layoutWeek(entries, semester.value)} colourOf={(module) => colours[module]?.id ?? "8"} now={now.value} free={free} />
      <section class="card">
        <h2>{text.free}</h2>
        {hasEvents.value ? <FreeList free={free} /> : <Compare />}
      </section>
    </div>
  );
}

function Compare() {
  return (
    <>
      <p>{text.compare}</p>
      <a class="button" href={href("upload")}>
        {text.upload}
      </a>
    </>
  );
}

function FreeList({ free }: { free: Slot[] }) {
  if (free.length === 0) return <p>{text.noFree}</p>;
  return (
    <>
      <p class="soft">{text.freeHint}</p>
      <dl class="free-list">
        {[0, 1, 2, 3, 4].map((day) => (
          <div key={day}>
            <dt>{look.days[day]}</dt>
            <dd>
              {free
                .filter((slot) => slot.day === day)
                .map((slot) => `${clock(slot.start)}–${clock(slot.end)}`)
                .join(", ") || text.none}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
