import { useEffect, useRef } from "preact/hooks";
import type { Alternatives } from "../domain/courses";
import { preferences, type Preference } from "../domain/search/cost";
import type { Answer, Found } from "../domain/search/search";
import { layoutWeek } from "../domain/grid";
import { heldIn } from "../domain/terms";
import { SemesterSwitch } from "../look/semester";
import { semester } from "../look/view";
import { WeekGrid } from "../look/week-grid";
import { href } from "../router";
import { Icon } from "../shell/icon";
import { colours } from "../state/store";
import { choose as texts } from "../texts/choose";
import { look } from "../texts/look";
import { before, find, finding, isCurrent, isLocked, language, lock, offers, preference, take, takenOf, undo, use } from "./finder";

const text = texts.find;

/** Whether the student pressed the button, and so waits for what comes. */
const asked = { current: false };

function start() {
  asked.current = true;
  find();
}

/** "Find me a timetable". */
export function Find() {
  if (offers.value.length === 0) return <p class="card empty">{text.nothing}</p>;
  const now = finding.value;
  return (
    <>
      <section class="card">
        <h2>{text.title}</h2>
        <p>{text.hint}</p>
        <fieldset class="plain">
          <legend class="label">{text.prefer}</legend>
          <div class="options">
            {preferences.map((one) => (
              <label class="option" key={one}>
                <input type="radio" name="preference" checked={preference.value === one} onChange={() => (preference.value = one)} />
                {text.preferences[one]}
              </label>
            ))}
          </div>
        </fieldset>
        <Language />
        <Locks />
        <button type="button" class="button" disabled={now.state === "running"} onClick={start}>
          {now.state === "found" ? text.again : text.start}
        </button>
      </section>
      <div role="status">{now.state === "running" && <p>{text.running}</p>}</div>
      {now.state === "found" && <Results answer={now.answer} preference={now.preference} alternatives={now.alternatives} />}
    </>
  );
}

/** Asked only where there is a choice of languages. */
function Language() {
  const spoken = new Set(offers.value.flatMap((one) => one.groups.map((group) => group.language)));
  if (!spoken.has("E") || !spoken.has("A")) return null;
  return (
    <label class="field">
      <span>{text.language}</span>
      <select class="input" value={language.value} onChange={(e) => (language.value = e.currentTarget.value as typeof language.value)}>
        {(["", "E", "A"] as const).map((one) => (
          <option key={one} value={one}>
            {text.languages[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The locked groups, each of which can be unlocked here. */
function Locks() {
  const locked = offers.value.filter((one) => isLocked(one) && takenOf(one) !== undefined && one.groups.length > 1);
  if (locked.length === 0) return null;
  return (
    <div class="filters" role="group" aria-label={text.locks}>
      <span class="soft">{text.locks}:</span>
      {locked.map((one) => {
        const name = `${one.module} ${takenOf(one)}`;
        return (
          <button key={one.key} type="button" class="chip" aria-label={text.unlock(name)} onClick={() => lock(one, false)}>
            <Icon name="lock" /> {name} <Icon name="close" />
          </button>
        );
      })}
    </div>
  );
}

function Results({ answer, preference, alternatives }: { answer: Answer; preference: Preference; alternatives: Alternatives[] }) {
  const { best, ways, complete } = answer;
  const top = useRef<HTMLElement>(null);
  useEffect(() => {
    const below = (top.current?.getBoundingClientRect().top ?? 0) > innerHeight / 2;
    if (below && asked.current) top.current?.scrollIntoView({ block: "start" }); // on a phone they come below the window
    asked.current = false;
  }, [answer]);
  return (
    <section ref={top} aria-label={text.found(best.length, ways)}>
      <div class="toolbar">
        <div role="status">
          <h2>{ways === 1 ? text.one : text.found(best.length, ways)}</h2>
        </div>
        <SemesterSwitch />
      </div>
      {!complete && <p class="notice warn">{text.stopped}</p>}
      {best.some((found) => Object.values(found.groups).some((names) => names.length > 1)) && <p class="soft">{text.orHint}</p>}
      <div class="results">
        {best.map((found, at) => (
          <Result key={JSON.stringify(found.groups)} found={found} number={at + 1} preference={preference} alternatives={alternatives} />
        ))}
      </div>
    </section>
  );
}

/** In how many quarters something is held: costs are told for one week. */
function quartersHeld(alternatives: Alternatives[]): number {
  const all = alternatives.flatMap((one) => one.groups).reduce((set, group) => set | group.quarters, 0);
  return [1, 2, 4, 8].filter((quarter) => (all & quarter) !== 0).length || 1;
}

interface ResultProps {
  found: Found;
  number: number;
  preference: Preference;
  alternatives: Alternatives[];
}

function Result({ found, number, preference, alternatives }: ResultProps) {
  const chosen = alternatives.map((one) => one.groups.find((group) => group.name === found.groups[one.key]?.[0])).filter((group) => group !== undefined);
  const entries = chosen.flatMap((group) => group.entries).filter((e) => heldIn(e.semester, semester.value));
  const current = isCurrent(found);
  return (
    <article class={current ? "card result current" : "card result"} aria-label={text.number(number)}>
      <h3>{text.number(number)}</h3>
      <p class="facts">
        <span class={found.clashes === 0 ? "tag good" : "tag bad"}>{text.clashes(found.clashes)}</span>
        <span class="tag">{text.cost[preference](found.cost / quartersHeld(alternatives))}</span>
      </p>
      <div class="mini" aria-hidden="true">
        <WeekGrid week={layoutWeek(entries, semester.value)} colourOf={(module) => colours.value[module]?.id ?? "8"} />
      </div>
      <ul class="taken" role="list">
        {alternatives
          .filter((one) => one.groups.length > 1)
          .map((one) => (
            <Taken key={one.key} one={one} names={found.groups[one.key] ?? []} />
          ))}
      </ul>
      <Use found={found} current={current} />
    </article>
  );
}

/** A group of the found timetable. To lock it takes it, and searches for what goes with it. */
function Taken({ one, names }: { one: Alternatives; names: string[] }) {
  const locked = isLocked(one) && names.includes(takenOf(one) ?? "");
  const toggle = () => {
    if (!locked) take(one, names[0]);
    lock(one, !locked);
    find();
  };
  const name = `${one.module} ${text.or(names)}`;
  return (
    <li data-colour={colours.value[one.module]?.id}>
      <span class="dot" />
      <span class="grow">
        {one.module} <span class="soft">{look.kind[one.meeting]}</span> <b>{text.or(names)}</b>
      </span>
      <button type="button" class="chip lock" aria-pressed={locked} aria-label={texts.groups.lock(name)} onClick={toggle}>
        <Icon name="lock" />
      </button>
    </li>
  );
}

function Use({ found, current }: { found: Found; current: boolean }) {
  if (!current) {
    return (
      <button type="button" class="button" onClick={() => use(found)}>
        {text.use}
      </button>
    );
  }
  return (
    <div class="buttons" role="status">
      <span class="tag good">
        <Icon name="check" /> {before.value ? text.used : text.current}
      </span>
      <a class="button second" href={href("look", "week")}>
        {text.show}
      </a>
      {before.value && (
        <button type="button" class="button quiet" onClick={undo}>
          {text.undo}
        </button>
      )}
    </div>
  );
}
