import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { GoogleCalendar, Sync, SyncPlan } from "../api/client";
import { Trouble, useAttempt } from "../shell/attempt";
import { Confirm } from "../shell/confirm";
import { takeTexts } from "../texts/take";
import { apply, planOf, undo } from "./google-client";

const text = takeTexts.google;

/** How many entries of a plan are shown. */
const mostShown = 100;

/** What a sync would do to a calendar; then doing it, and taking it back. */
export function Plan({ calendar, back }: { calendar: GoogleCalendar; back: () => void }) {
  const plan = useSignal<SyncPlan | null>(null);
  const sync = useSignal<Sync | null>(null);
  const undone = useSignal(false);
  const follow = useSignal(true);
  const attempt = useAttempt();
  useEffect(() => {
    attempt.start(async () => {
      plan.value = await planOf(calendar.id);
    });
  }, []);
  const write = () => attempt.start(async () => void (await apply(calendar.id, follow.value, (s) => (sync.value = s))));
  const takeBack = () =>
    attempt.start(async () => {
      sync.value = null;
      await undo(calendar.id, (s) => (sync.value = s));
      undone.value = true;
    });
  const written = sync.value?.status === "done" && !attempt.busy;
  return (
    <div>
      <h3>{calendar.summary}</h3>
      {attempt.busy && <Progress sync={sync.value} />}
      {undone.value && <p class="notice good" role="status">{text.undone}</p>}
      {written && !undone.value && <Written sync={sync.value!} />}
      {plan.value && !sync.value && <Changes plan={plan.value} />}
      {plan.value && !sync.value && (
        <>
          <label class="check big-check">
            <input type="checkbox" checked={follow.value} onChange={(e) => (follow.value = e.currentTarget.checked)} />
            <span>{text.follow}</span>
          </label>
          <button type="button" class="button" disabled={attempt.busy} onClick={write}>
            {text.apply}
          </button>
        </>
      )}
      <Trouble attempt={attempt} google="take" />
      <div class="buttons">
        <button type="button" class="button quiet" disabled={attempt.busy} onClick={back}>
          {text.back}
        </button>
        {(calendar.syncedAt || written) && !undone.value && !attempt.busy && <Confirm ask={text.undo} question={text.undoAsk(calendar.summary)} yes={text.undoYes} no={text.no} confirmed={takeBack} />}
      </div>
    </div>
  );
}

function Progress({ sync }: { sync: Sync | null }) {
  if (!sync) return <p class="soft" role="status">{text.planning}</p>;
  return (
    <>
      <p class="soft" role="status">{text.applying(sync.done, sync.planned)}</p>
      <progress max={Math.max(1, sync.planned)} value={sync.done} aria-label={text.applying(sync.done, sync.planned)} />
    </>
  );
}

function Written({ sync }: { sync: Sync }) {
  return (
    <div class={sync.failed ? "notice warn" : "notice good"} role="status">
      <p>
        {text.done(sync.count)} {sync.failed > 0 && text.failedEvents(sync.failed)}
      </p>
      <a href="https://calendar.google.com/" target="_blank" rel="noopener noreferrer">
        {text.open}
      </a>
    </div>
  );
}

/** The plan: how many of each kind, and each one. */
function Changes({ plan }: { plan: SyncPlan }) {
  const counts: [number, string][] = [
    [plan.created, text.added], [plan.updated, text.changed], [plan.deleted, text.removed], [plan.kept, text.kept], [plan.unchanged, text.same],
  ];
  if (plan.actions.length === 0 && plan.keptEdits.length === 0) return <p class="notice good">{text.nothing}</p>;
  return (
    <>
      <h4 class="label">{text.planTitle}</h4>
      <ul class="counts">
        {counts.filter(([n]) => n > 0).map(([n, label]) => (
          <li key={label}>
            <strong>{n}</strong>
            {label}
          </li>
        ))}
      </ul>
      <p class="soft">{text.untouched}</p>
      <details>
        <summary>{text.details}</summary>
        <ul class="actions">
          {plan.actions.slice(0, mostShown).map((a, at) => (
            <li key={at}>
              <b>{text.operation[a.operation]}</b> {a.summary} <small>{whenOf(a.start)}</small>
            </li>
          ))}
          {plan.keptEdits.map((k, at) => (
            <li key={`kept-${at}`}>
              <b>{text.keptEdit}</b> {k.summary}
            </li>
          ))}
          {plan.actions.length > mostShown && <li>{text.more(plan.actions.length - mostShown)}</li>}
        </ul>
      </details>
    </>
  );
}

/** The first day and time of an event, for people. */
function whenOf(start: string | undefined): string {
  const at = start ? new Date(start) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  return at.toLocaleString("en-ZA", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Africa/Johannesburg" });
}
