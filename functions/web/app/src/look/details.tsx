import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isDated } from "../domain/dated";
import { type Entry, overlap, slotOf } from "../domain/entry";
import { areAlternatives } from "../domain/grid";
import { termsMeet } from "../domain/terms";
import { weekdayOfDate } from "../domain/time";
import { href, route } from "../router";
import { choices, choose, colours, events } from "../state/store";
import { Icon } from "../shell/icon";
import { look } from "../texts/look";
import { attended, hoursOf, kindOf, opened, titleOf } from "./view";

/** The details of the opened event, in a dialog. */
export function Details() {
  const dialog = useRef<HTMLDialogElement>(null);
  const e = opened.value;
  useEffect(() => {
    if (e && !dialog.current?.open) dialog.current?.showModal();
  }, [e]);
  useEffect(() => () => void (opened.value = null), [route.value]); // the way back leads out of it, too
  if (!e) return null;
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} class="details" aria-labelledby="details-title" onClose={() => (opened.value = null)} onClick={(click) => click.target === dialog.current && close()}>
      <div class="inside">
        <header data-colour={colours.value[e.module]?.id}>
          <h2 id="details-title">{titleOf(e)}</h2>
          <button type="button" class="button quiet" aria-label={look.details.close} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        <Doubts e={e} />
        {isDated(e) && e.remark && <p class="notice">{e.remark}</p>}
        <dl>
          <Fact name={look.details.when}>{whenOf(e)}</Fact>
          <Fact name={look.details.where}>{e.venues.length ? e.venues.map((venue) => <span key={venue}>{venue}</span>) : look.details.noVenue}</Fact>
          <Fact name={look.details.group}>{e.group && `${e.group}, ${look.kind[kindOf(e)]}`}</Fact>
          <Fact name={look.details.term}>{look.terms[e.semester ?? ""] ?? e.semester}</Fact>
          <Fact name={look.details.language}>{look.details.languages[(e.lang ?? "").split(" ")[0] ?? ""]}</Fact>
          <Fact name={look.details.campus}>{e.campus}</Fact>
          <Fact name={look.details.paper}>{e.paper}</Fact>
          <Fact name={look.details.notes}>{e.notes}</Fact>
          <Fact name={look.details.clashes}>{clashing(e).map((other) => <span key={other.id}>{`${titleOf(other)}, ${hoursOf(other)}`}</span>)}</Fact>
        </dl>
        <div class="buttons">
          {e.kind === "lecture" && e.group && (
            <a class="button second" href={href("choose")} onClick={close}>
              {look.details.other}
            </a>
          )}
          {events.value.some((known) => known.id === e.id) && (
            <button
              type="button"
              class="button second"
              onClick={() => {
                choose({ eventsOut: [...choices.value.eventsOut, e.id] });
                close();
              }}
            >
              {look.details.leaveOut}
            </button>
          )}
        </div>
      </div>
    </dialog>
  );
}

function Fact({ name, children }: { name: string; children?: ComponentChildren }) {
  if (!children || (Array.isArray(children) && children.length === 0)) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What could not be read with certainty, with the place where it is printed. */
export function Doubts({ e }: { e: Entry }) {
  const warnings = e.warnings ?? [];
  if (warnings.length === 0 && !e.endTimeEstimated) return null;
  return (
    <div class="notice warn">
      {warnings.map((warning) => (
        <p key={warning.code + warning.row}>
          {warning.message} {warning.page > 0 && <small>{look.printedAt(warning.page, warning.row)}.</small>}
        </p>
      ))}
      {e.endTimeEstimated && <p>{look.estimated}</p>}
    </div>
  );
}

function whenOf(e: Entry): string {
  if (isDated(e)) return [look.longDate(e.on, weekdayOfDate(e.on)), hoursOf(e)].join(", ");
  const day = e.date ? look.longDate(e.date, weekdayOfDate(e.date)) : e.day ? look.details.every(e.day) : "";
  return [day, hoursOf(e)].filter(Boolean).join(", ");
}

/** What of the attended a student cannot go to, too. */
function clashing(e: Entry): Entry[] {
  if (isDated(e)) return []; // its week shows that
  if (e.kind !== "lecture") {
    return attended.value.filter((other) => other.kind !== "lecture" && other.id !== e.id && other.date === e.date && other.startTime < e.endTime && e.startTime < other.endTime);
  }
  const slot = slotOf(e);
  return attended.value.filter((other) => {
    const beside = other.kind === "lecture" && other.id !== e.id ? slotOf(other) : null;
    return slot && beside && overlap(slot, beside) && termsMeet(e.semester, other.semester) && !areAlternatives(e, other);
  });
}
