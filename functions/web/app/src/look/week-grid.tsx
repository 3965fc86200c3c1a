import type { CSSProperties } from "preact";
import type { Entry, Slot } from "../domain/entry";
import { isDated } from "../domain/dated";
import { nowLine, type Placed, type Week } from "../domain/grid";
import { clock, type Moment } from "../domain/time";
import { Icon } from "../shell/icon";
import { look } from "../texts/look";
import { sentenceOf, titleOf } from "./view";

interface Props {
  week: Week;
  /** Of a week by its dates: what stands above each day, from Monday on. */
  heads?: { date: string; label: string; mark: string }[];
  /** The colour of a module, by Google's id. */
  colourOf(module: string): string;
  /** Opens the details of an event; without it nothing can be opened. */
  open?(entry: Entry): void;
  now?: Moment;
  /** Times to mark as free. */
  free?: Slot[];
}

/** A length of the week in hours, which the style turns into a place. */
function hours(minutes: number): number {
  return Math.round((minutes / 60) * 1000) / 1000;
}

/**
 * The week: for the eye a grid, for the ear a list of each day's classes. The style puts everything in its place by custom
 * properties, so nothing moves while the page loads.
 */
export function WeekGrid({ week, heads, colourOf, open, now, free = [] }: Props) {
  const line = now ? nowLine(week, now) : null;
  const marks = Array.from({ length: (week.to - week.from) / 60 }, (_, at) => week.from + at * 60);
  const scale = { "--hours": marks.length, "--days": week.days.length } as CSSProperties;
  return (
    <div class={heads ? "week dated" : "week"} style={scale}>
      <div class="hours" aria-hidden="true">
        {marks.map((minutes) => (
          <span key={minutes}>{clock(minutes)}</span>
        ))}
      </div>
      {week.days.map((day) => (
        <section class={line?.day === day ? "day today" : "day"} key={day} aria-label={heads?.[day]?.label ?? look.days[day]}>
          <h3 aria-hidden="true">
            <b>
              {look.days[day]!.slice(0, 3)}
              <span>{look.days[day]!.slice(3)}</span>
            </b>
            {heads && <small>{heads[day]?.date}</small>}
          </h3>
          {heads?.[day]?.mark && (
            <p class="special" aria-hidden="true">
              {heads[day].mark}
            </p>
          )}
          <ul class="slots" role="list">
            {free.filter((slot) => slot.day === day && slot.end > week.from).map((slot) => (
              <Free key={slot.start} slot={slot} from={week.from} />
            ))}
            {week.placed.filter((one) => one.day === day).map((one) => (
              <Class key={one.key} placed={one} week={week} colour={colourOf(one.entry.module)} open={open} />
            ))}
          </ul>
          {line?.day === day && <div class="now" style={{ "--from": hours(line.minutes - week.from) } as CSSProperties} aria-hidden="true" />}
        </section>
      ))}
    </div>
  );
}

function Free({ slot, from }: { slot: Slot; from: number }) {
  const start = Math.max(slot.start, from); // the hours shown begin with the first class
  const place = { "--from": hours(start - from), "--length": hours(slot.end - start) } as CSSProperties;
  return (
    <li class="free" style={place}>
      <span class="hidden">{look.shared.freeSlot(clock(slot.start), clock(slot.end))}</span>
    </li>
  );
}

function Class({ placed, week, colour, open }: { placed: Placed; week: Week; colour: string; open?: ((entry: Entry) => void) | undefined }) {
  const { entry } = placed;
  const place = {
    "--from": hours(placed.start - week.from),
    "--length": hours(placed.end - placed.start),
    "--column": placed.column,
    "--columns": placed.columns,
  } as CSSProperties;
  const marks = ["class"];
  if (placed.clashes.length > 0) marks.push("clash");
  if (placed.alternatives.length > 0) marks.push("alternative");
  if (entry.endTimeEstimated) marks.push("estimated");
  if (placed.columns > 1) marks.push("beside");
  if (placed.columns > 2) marks.push("narrow");
  const label = sentenceOf(entry, placed);
  return (
    <li style={place} data-colour={colour}>
      {open ? (
        <button type="button" class={marks.join(" ")} aria-haspopup="dialog" title={titleOf(entry)} onClick={() => open(entry)}>
          <span class="hidden">{label}</span>
          <Face placed={placed} />
        </button>
      ) : (
        <div class={marks.join(" ")}>
          <span class="hidden">{label}</span>
          <Face placed={placed} />
        </div>
      )}
    </li>
  );
}

function Face({ placed }: { placed: Placed }) {
  const { entry } = placed;
  const length = placed.end - placed.start; // what has no room is left out: the details have it
  const doubtful = (entry.warnings ?? []).length > 0;
  const differs = isDated(entry) && entry.remark !== undefined;
  return (
    <span class="face" aria-hidden="true">
      <b>{entry.module}</b>
      <span class="what">{[entry.activity, entry.group].filter(Boolean).join(" · ")}</span>
      <span class="place">{entry.venue}</span>
      {length > 100 && <span class="time">{`${clock(placed.start)}–${clock(placed.end)}`}</span>}
      {differs && <span class="flag differs">{look.dated.differs}</span>}
      {(doubtful || (placed.clashes.length > 0 && length > 75)) && (
        <span class={doubtful ? "flag doubt" : "flag"}>
          <Icon name="warn" />
          <span>{doubtful ? look.doubtMark : look.clashMark}</span>
        </span>
      )}
    </span>
  );
}
