import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { secondsUntilRetry } from "../api/retry";
import { ApiError } from "../api/client";
import { signInAddress, type Step } from "../router";
import { missingDates, type MissingDates } from "../state/request";
import { choices, choose } from "../state/store";
import { texts } from "../texts";

/** Something that is tried, and may fail: for good, for now, or for want of dates. */
export interface Attempt {
  busy: boolean;
  error: ApiError | Error | null;
  missing: MissingDates | null;
  /** In how many seconds it is tried again by itself; 0 if it is not. */
  again: number;
  /** Tries; what fails is shown by <Trouble>. */
  start(work: () => Promise<void>): void;
  /** Tries the last one again. */
  retry(): void;
}

export function useAttempt(): Attempt {
  const state = useSignal({ busy: false, error: null as Error | null, missing: null as MissingDates | null, again: 0 });
  const last = useRef<(() => Promise<void>) | null>(null);
  const timer = useRef(0);
  const turn = useRef(0);
  const left = useRef(false);
  useEffect(
    () => () => {
      left.current = true; // what fails after this is tried by nobody
      clearTimeout(timer.current);
    },
    [],
  );
  const run = (work: () => Promise<void>, tries: number) => {
    clearTimeout(timer.current);
    const own = ++turn.current; // what an earlier one says is not asked for any more
    last.current = work;
    state.value = { busy: true, error: null, missing: null, again: 0 };
    work().then(
      () => own === turn.current && (state.value = { busy: false, error: null, missing: null, again: 0 }),
      (e: Error) => {
        if (left.current || own !== turn.current) return;
        const again = secondsUntilRetry(e, tries, { guess: false });
        if (again > 0) timer.current = window.setTimeout(() => run(work, tries + 1), again * 1000);
        state.value = { busy: false, error: e, missing: missingDates(e), again };
      },
    );
  };
  return { ...state.value, start: (work) => run(work, 1), retry: () => last.current && run(last.current, 1) };
}

/** What went wrong with an attempt, and the way on. google says that the attempt needs to be signed in, and to which step a sign-in leads back. */
export function Trouble({ attempt, google }: { attempt: Attempt; google?: Step }) {
  const { error } = attempt;
  if (attempt.missing) return <Dates missing={attempt.missing} then={attempt.retry} />;
  if (!error) return null;
  const signedOut = google !== undefined && error instanceof ApiError && error.status === 401;
  return (
    <div class="notice bad" role="alert">
      <p>
        {error.message} {attempt.again > 0 && texts.again(attempt.again)}
      </p>
      {signedOut ? (
        <a class="button" href={signInAddress(google)}>
          {texts.signInAgain}
        </a>
      ) : (
        <button type="button" class="button second" onClick={attempt.retry}>
          {texts.retry}
        </button>
      )}
    </div>
  );
}

/** Asks for the dates of terms that nobody has entered. They are kept with the other choices. */
function Dates({ missing, then }: { missing: MissingDates; then: () => void }) {
  const text = texts.dates;
  const guess = (term: string) => missing.suggestions.find((s) => s.term === term);
  const from = missing.suggestions[0]?.from;
  const submit = (e: Event) => {
    e.preventDefault();
    const data = new FormData(e.currentTarget as HTMLFormElement);
    const given = missing.terms.map((term) => [term, { start: String(data.get(`${term} start`)), end: String(data.get(`${term} end`)) }] as const);
    choose({ terms: { ...choices.value.terms, ...Object.fromEntries(given) } });
    then();
  };
  return (
    <form class="notice dates" onSubmit={submit}>
      <h3>{text.title}</h3>
      <p>
        {text.text(missing.year)} {from !== undefined && text.suggested(from)}
      </p>
      {missing.terms.map((term) => (
        <div class="pair" key={term}>
          <DateField label={text.first(term)} name={`${term} start`} value={guess(term)?.start} />
          <DateField label={text.last(term)} name={`${term} end`} value={guess(term)?.end} />
        </div>
      ))}
      <button type="submit" class="button">
        {text.save}
      </button>
    </form>
  );
}

function DateField({ label, name, value }: { label: string; name: string; value: string | undefined }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input class="input" type="date" name={name} defaultValue={value ?? ""} required />
    </label>
  );
}
