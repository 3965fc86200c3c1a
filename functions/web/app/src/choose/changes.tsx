import { useSignal } from "@preact/signals";
import type { Change, ExtraClass } from "../api/client";
import type { Entry } from "../domain/entry";
import { addDays, weekdayIndex, weekdayOfDate } from "../domain/time";
import type { Period } from "../domain/year";
import { lectures, titleOf } from "../look/view";
import { choices, choose, events, modules } from "../state/store";
import { choose as texts } from "../texts/choose";
import { look } from "../texts/look";
import { shownDates } from "../look/year";

const text = texts.dates;

/** What of single dates is not as in other weeks: classes that are not held, moved, or held besides. */
export function Changes() {
  const { changes, extra } = choices.value;
  return (
    <section class="card">
      <h2>{text.changes}</h2>
      <p class="soft">{text.changesHint}</p>
      {changes.length + extra.length === 0 && <p>{text.noChanges}</p>}
      <ul class="rows" role="list">
        {changes.map((change) => (
          <Changed key={change.event + change.date} what={sayChange(change)} remove={() => choose({ changes: changes.filter((other) => other !== change) })} />
        ))}
        {extra.map((one) => (
          <Changed key={JSON.stringify(one)} what={sayExtra(one)} remove={() => choose({ extra: extra.filter((other) => other !== one) })} />
        ))}
      </ul>
      <details>
        <summary>{text.change}</summary>
        <ChangeForm />
      </details>
      <details>
        <summary>{text.extra}</summary>
        <ExtraForm />
      </details>
    </section>
  );
}

function dateName(date: string): string {
  return look.longDate(date, weekdayOfDate(date));
}

function sayChange(change: Change): string {
  const event = events.value.find((e) => e.id === change.event);
  const hours = change.startTime ? look.between(change.startTime, change.endTime ?? "") : "";
  const moved = [change.newDate && dateName(change.newDate), hours, change.venue].filter(Boolean).join(", ");
  return `${event ? titleOf(event) : change.event}, ${dateName(change.date)}: ${change.cancelled ? text.saidCancelled : text.saidMoved(moved)}`;
}

function sayExtra(one: ExtraClass): string {
  return `${one.module} ${text.saidExtra}, ${dateName(one.date)}, ${look.between(one.startTime, one.endTime)}${one.venue ? `, ${one.venue}` : ""}`;
}

function Changed({ what, remove }: { what: string; remove(): void }) {
  return (
    <li class="own">
      <span class="grow">{what}</span>
      <button type="button" class="button quiet" aria-label={text.removeNamed(what)} onClick={remove}>
        {text.remove}
      </button>
    </li>
  );
}

/** The dates on which a lecture is held, as far as the semester's dates are known. */
function datesOf(e: Entry | undefined, within: Period | undefined): string[] {
  const day = weekdayIndex(e?.day);
  if (!within || day < 0) return [];
  const first = addDays(within.start, (day - weekdayOfDate(within.start) + 7) % 7);
  const dates: string[] = [];
  for (let date = first; date <= within.end && dates.length < 60; date = addDays(date, 7)) dates.push(date);
  return dates;
}

function ChangeForm() {
  const event = useSignal("");
  const date = useSignal("");
  const cancelled = useSignal(true);
  const moved = { newDate: useSignal(""), startTime: useSignal(""), endTime: useSignal(""), venue: useSignal("") };
  const choosable = lectures.value.filter((e) => e.day && e.startTime);
  const dates = datesOf(choosable.find((e) => e.id === event.value), shownDates.value);
  const wrong = cancelled.value ? "" : wrongMove(Object.fromEntries(Object.entries(moved).map(([name, field]) => [name, field.value])));
  const tried = useSignal(false);
  const submit = (e: Event) => {
    e.preventDefault();
    tried.value = wrong !== "";
    if (wrong) return;
    const filled = Object.entries(moved).filter(([, field]) => field.value !== "");
    const change: Change = { event: event.value, date: date.value, ...(cancelled.value ? { cancelled: true } : Object.fromEntries(filled.map(([name, field]) => [name, field.value]))) };
    const others = choices.value.changes.filter((other) => other.event !== change.event || other.date !== change.date);
    choose({ changes: [...others, change] });
    date.value = "";
    for (const field of Object.values(moved)) field.value = "";
  };
  return (
    <form class="form" onSubmit={submit} aria-label={text.change}>
      <label class="field grow">
        <span>{text.which}</span>
        <select class="input" required value={event.value} onChange={(e) => (event.value = e.currentTarget.value)}>
          <option value="" />
          {choosable.map((e) => (
            <option key={e.id} value={e.id}>{`${titleOf(e)}, ${e.day} ${e.startTime}`}</option>
          ))}
        </select>
      </label>
      <label class="field grow">
        <span>{text.when}</span>
        {dates.length > 0 ? (
          <select class="input" required value={date.value} onChange={(e) => (date.value = e.currentTarget.value)}>
            <option value="" />
            {dates.map((one) => (
              <option key={one} value={one}>
                {dateName(one)}
              </option>
            ))}
          </select>
        ) : (
          <input class="input" type="date" required value={date.value} onInput={(e) => (date.value = e.currentTarget.value)} />
        )}
      </label>
      <div class="switch" role="group" aria-label={text.change}>
        <button type="button" aria-pressed={cancelled.value} onClick={() => (cancelled.value = true)}>
          {text.notHeld}
        </button>
        <button type="button" aria-pressed={!cancelled.value} onClick={() => (cancelled.value = false)}>
          {text.moved}
        </button>
      </div>
      {!cancelled.value && (
        <>
          <Field label={text.newDate} type="date" value={moved.newDate} />
          <Field label={text.start} type="time" value={moved.startTime} />
          <Field label={text.end} type="time" value={moved.endTime} />
          <Field label={text.venue} type="text" value={moved.venue} placeholder={text.sameRoom} />
        </>
      )}
      {tried.value && wrong && (
        <p class="notice bad" role="alert">
          {wrong}
        </p>
      )}
      <button class="button second" type="submit">
        {text.save}
      </button>
    </form>
  );
}

/** What is wrong with how a class is moved, or nothing. A time that is not given stays as it is. */
function wrongMove({ newDate, startTime = "", endTime = "", venue }: Record<string, string>): string {
  if (!newDate && !startTime && !endTime && !venue) return text.nothingMoved;
  return startTime && endTime && endTime <= startTime ? text.wrongTimes : "";
}

interface FieldProps {
  label: string;
  type: string;
  value: { value: string };
  required?: boolean;
  placeholder?: string;
}

function Field({ label, type, value, required, placeholder }: FieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input class="input" type={type} required={required} placeholder={placeholder} maxLength={100} value={value.value} onInput={(e) => (value.value = e.currentTarget.value)} />
    </label>
  );
}

function ExtraForm() {
  const module = useSignal("");
  const date = useSignal("");
  const start = useSignal("");
  const end = useSignal("");
  const venue = useSignal("");
  const wrong = start.value !== "" && end.value !== "" && end.value <= start.value;
  const submit = (e: Event) => {
    e.preventDefault();
    if (wrong) return;
    const one: ExtraClass = { module: module.value, date: date.value, startTime: start.value, endTime: end.value, ...(venue.value ? { venue: venue.value } : {}) };
    choose({ extra: [...choices.value.extra, one] });
    date.value = start.value = end.value = venue.value = "";
  };
  return (
    <form class="form" onSubmit={submit} aria-label={text.extra}>
      <label class="field">
        <span>{text.module}</span>
        <select class="input" required value={module.value} onChange={(e) => (module.value = e.currentTarget.value)}>
          <option value="" />
          {modules.value.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <Field label={text.when} type="date" value={date} required />
      <Field label={text.start} type="time" value={start} required />
      <Field label={text.end} type="time" value={end} required />
      <Field label={text.venue} type="text" value={venue} />
      <button class="button second" type="submit">
        {text.add}
      </button>
      {wrong && (
        <p class="notice bad" role="alert">
          {text.wrongTimes}
        </p>
      )}
    </form>
  );
}
