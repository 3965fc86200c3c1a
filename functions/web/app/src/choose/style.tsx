import { palette } from "../domain/colours";
import { type Entry, meetingOf } from "../domain/entry";
import { titleOf } from "../look/view";
import { choices, choose, colours, events, modules } from "../state/store";
import type { TitleFormat } from "../state/types";
import { choose as texts } from "../texts/choose";
import { look } from "../texts/look";

const text = texts.style;

/** How the calendar looks, and what is left out of it. */
export function Style() {
  return (
    <>
      <section class="card">
        <label class="field">
          <span>{text.name}</span>
          <input class="input" maxLength={100} placeholder={text.namePlaceholder} value={choices.value.name} onInput={(e) => choose({ name: e.currentTarget.value })} />
        </label>
        <Titles />
        <Reminders />
      </section>
      <Colours />
      <LeftOut />
    </>
  );
}

/** A title as the server writes it. */
const written: Record<TitleFormat, (e: Entry) => string> = {
  full: titleOf,
  activity: (e) => `${e.module} ${e.activity}`.trim(),
  group: (e) => `${e.module} ${e.group || e.activity}`.trim(),
  kind: (e) => {
    const kind = look.kind[meetingOf(e.group)];
    return meetingOf(e.group) === "other" ? `${e.module} ${e.activity}`.trim() : `${e.module} ${kind[0]!.toUpperCase()}${kind.slice(1).split(" ")[0]}`;
  },
  module: (e) => e.module,
};

function Titles() {
  const lectures = events.value.filter((e) => e.kind === "lecture");
  const example = lectures.find((e) => meetingOf(e.group) === "practical") ?? lectures[0];
  if (!example) return null;
  return (
    <fieldset class="plain">
      <legend class="label">{text.title}</legend>
      <div class="options">
        {(Object.keys(written) as TitleFormat[]).map((one) => (
          <label class="option" key={one}>
            <input type="radio" name="title" checked={choices.value.title === one} onChange={() => choose({ title: one })} />
            {written[one](example)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Reminders() {
  const chosen = choices.value.reminders;
  const toggle = (minutes: number) => choose({ reminders: chosen.includes(minutes) ? chosen.filter((other) => other !== minutes) : [...chosen, minutes].sort((a, b) => a - b) });
  return (
    <fieldset class="plain">
      <legend class="label">{text.reminders}</legend>
      <div class="options">
        {Object.entries(text.before).map(([minutes, name]) => (
          <label class="option" key={minutes}>
            <input type="checkbox" checked={chosen.includes(Number(minutes))} onChange={() => toggle(Number(minutes))} />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Colours() {
  return (
    <section class="card">
      <h2>{text.colours}</h2>
      <p class="soft">{text.coloursHint}</p>
      {modules.value.map((module) => (
        <fieldset class="swatches" key={module}>
          <legend>{module}</legend>
          {palette.map((colour) => (
            <label key={colour.id} data-colour={colour.id} title={colour.name}>
              <input
                type="radio"
                name={`colour ${module}`}
                aria-label={colour.name}
                checked={colours.value[module]?.id === colour.id}
                onChange={() => choose({ colors: { ...choices.value.colors, [module]: colour.css } })}
              />
            </label>
          ))}
        </fieldset>
      ))}
    </section>
  );
}

function LeftOut() {
  const { eventsOut } = choices.value;
  const out = events.value.filter((e) => eventsOut.includes(e.id));
  return (
    <section class="card">
      <h2>{text.out}</h2>
      <p class="soft">{out.length > 0 ? text.outHint : text.nothingOut}</p>
      <ul class="rows" role="list">
        {out.map((e) => {
          const what = [titleOf(e), e.date ?? e.day, e.startTime].filter(Boolean).join(", ");
          return (
            <li key={e.id}>
              <span class="grow">{what}</span>
              <button type="button" class="button quiet" aria-label={text.backNamed(what)} onClick={() => choose({ eventsOut: eventsOut.filter((id) => id !== e.id) })}>
                {text.back}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
