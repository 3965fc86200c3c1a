import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { weekdayOfDate } from "../domain/time";
import { type Period, type SpecialDay, specialDays } from "../domain/year";
import { SemesterSwitch } from "../look/semester";
import { semester } from "../look/view";
import { loadYear, shownDates, university, yearState } from "../look/year";
import { academicYear, choices, choose, possibleYears } from "../state/store";
import { choose as texts } from "../texts/choose";
import { look } from "../texts/look";
import { Changes } from "./changes";

const text = texts.dates;

/** When the lectures are held: the university's dates, with the student's own beside or instead of them. */
export function Dates() {
  useEffect(() => void loadYear(), [academicYear.value]);
  const { state } = yearState.value;
  return (
    <>
      <div class="toolbar">
        <SemesterSwitch />
        <Year />
      </div>
      <div role="status">{state === "loading" && <p>{text.loading}</p>}</div>
      {state === "failed" && <p class="notice warn">{text.failed}</p>}
      {state !== "loading" && (
        <>
          <Semester key={semester.value} />
          {shownDates.value && <SpecialDays within={shownDates.value} />}
          <Changes />
        </>
      )}
    </>
  );
}

/** Timetables are often out before their year begins, and do not print it. */
function Year() {
  return (
    <label class="inline">
      <span>{text.year}</span>
      <select class="input" value={academicYear.value} onChange={(e) => choose({ year: Number(e.currentTarget.value) })}>
        {possibleYears.value.map((year) => (
          <option key={year} value={year}>
            {year}
          </option>
        ))}
      </select>
    </label>
  );
}

function Semester() {
  const dates = shownDates.value;
  const theirs = university.value?.terms[semester.value];
  const reset = () => {
    const { [semester.value]: _, ...others } = choices.value.terms;
    choose({ terms: others });
  };
  return (
    <section class="card">
      <h2>{text.title(look.semester[semester.value], academicYear.value)}</h2>
      <p class={dates ? "soft" : "notice warn"}>{!dates ? text.unknown : dates.own ? text.own : `${text.university} ${theirs?.checked ? "" : text.unchecked}`}</p>
      <PeriodForm
        key={`${dates?.start} ${dates?.end}`}
        period={dates ?? { start: "", end: "" }}
        save={(period) => choose({ terms: { ...choices.value.terms, [semester.value]: period } })}
      />
      {dates?.own && theirs && (
        <button type="button" class="button second" onClick={reset}>
          {text.reset}
        </button>
      )}
    </section>
  );
}

interface FormProps {
  period: Period;
  save(period: Period): void;
  cancel?(): void;
  named?: boolean;
  label?: string;
}

/** Two dates, and where asked a name. */
function PeriodForm({ period, save, cancel, named, label }: FormProps) {
  const start = useSignal(period.start);
  const end = useSignal(period.end);
  const name = useSignal(period.name ?? "");
  const last = end.value || (named ? start.value : "");
  const wrong = start.value !== "" && last !== "" && last < start.value;
  const submit = (e: Event) => {
    e.preventDefault();
    if (wrong) return;
    save({ start: start.value, end: last, ...(name.value.trim() ? { name: name.value.trim() } : {}) });
    if (named) start.value = end.value = name.value = "";
  };
  return (
    <form class="form" onSubmit={submit} aria-label={label}>
      <label class="field">
        <span>{text.from}</span>
        <input class="input" type="date" required value={start.value} onInput={(e) => (start.value = e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{text.to}</span>
        <input class="input" type="date" required={!named} value={end.value} min={start.value} onInput={(e) => (end.value = e.currentTarget.value)} />
      </label>
      {named && (
        <label class="field grow">
          <span>{text.name}</span>
          <input class="input" maxLength={100} value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
        </label>
      )}
      <div class="buttons">
        <button class="button second" type="submit">
          {named ? text.add : text.save}
        </button>
        {cancel && (
          <button class="button quiet" type="button" onClick={cancel}>
            {text.cancel}
          </button>
        )}
      </div>
      {wrong && (
        <p class="notice bad" role="alert">
          {text.wrongOrder}
        </p>
      )}
    </form>
  );
}

function SpecialDays({ within }: { within: Period }) {
  const days = specialDays(within, university.value, choices.value);
  return (
    <section class="card">
      <h2>{text.days}</h2>
      {days.length === 0 && <p class="soft">{text.none}</p>}
      <ul class="rows" role="list">
        {days.map((day) => (
          <Day key={day.what + day.start + day.name} day={day} />
        ))}
      </ul>
      {choices.value.recess && (
        <p>
          {text.ownRecess}{" "}
          <button type="button" class="button quiet" onClick={() => choose({ recess: undefined })}>
            {text.reset}
          </button>
        </p>
      )}
      <h3>{text.addDay}</h3>
      <PeriodForm named label={text.addDay} period={{ start: "", end: "" }} save={(period) => choose({ exclude: [...choices.value.exclude, period] })} />
    </section>
  );
}

/** "Monday 9 March 2026", or the first and the last day. */
function rangeOf({ start, end }: Period): string {
  return start === end ? look.longDate(start, weekdayOfDate(start)) : text.range(look.shortDate(start), look.shortDate(end));
}

function Day({ day }: { day: SpecialDay }) {
  const editing = useSignal(false);
  const title = day.name || text.what[day.what];
  const label = `${title}, ${rangeOf(day)}`;
  return (
    <li class={day.own !== undefined ? "own" : undefined}>
      <span class="grow">
        <b>{rangeOf(day)}</b> <span>{day.weekday ? text.follows(day.weekday) : day.name}</span>
      </span>
      <span class="tag">{text.what[day.what]}</span>
      {day.what === "recess" && !editing.value && (
        <button type="button" class="button quiet" aria-label={text.editNamed(label)} onClick={() => (editing.value = true)}>
          {text.edit}
        </button>
      )}
      {day.what === "own" && (
        <button type="button" class="button quiet" aria-label={text.removeNamed(label)} onClick={() => choose({ exclude: choices.value.exclude.filter((_, at) => at !== day.own) })}>
          {text.remove}
        </button>
      )}
      {editing.value && <RecessForm day={day} close={() => (editing.value = false)} />}
    </li>
  );
}

/** Other dates of a recess, or none: the student's own recess replaces the university's. */
function RecessForm({ day, close }: { day: SpecialDay; close(): void }) {
  const all: Period[] = choices.value.recess ?? (university.value?.recess ?? []).map(({ start, end, name }) => ({ start, end, ...(name ? { name } : {}) }));
  const others = all.filter((period) => period.start !== day.start || period.end !== day.end);
  const replace = (recess: Period[]) => {
    choose({ recess });
    close();
  };
  return (
    <div class="below">
      <PeriodForm period={day} label={text.editNamed(day.name || text.what.recess)} cancel={close} save={({ start, end }) => replace([...others, { start, end, ...(day.name ? { name: day.name } : {}) }])} />
      <button type="button" class="button second" onClick={() => replace(others)}>
        {text.noRecess}
      </button>
    </div>
  );
}
