import { useSignal } from "@preact/signals";
import { choices, choose } from "../state/store";
import { takeTexts as text } from "../texts/take";
import { missingDates, type MissingDates } from "./generate";

/** Something that is tried, and may fail: for good, for now, or for want of dates. */
export interface Attempt {
  busy: boolean;
  error: string;
  missing: MissingDates | null;
  /** Tries; what fails is shown by <Trouble>. */
  start(work: () => Promise<void>): void;
  /** Tries the last one again. */
  again(): void;
}

export function useAttempt(): Attempt {
  const state = useSignal({ busy: false, error: "", missing: null as MissingDates | null });
  const last = useSignal<(() => Promise<void>) | null>(null);
  const start = (work: () => Promise<void>) => {
    last.value = work;
    state.value = { busy: true, error: "", missing: null };
    work().then(
      () => (state.value = { busy: false, error: "", missing: null }),
      (e: unknown) => (state.value = { busy: false, error: (e as Error).message, missing: missingDates(e) }),
    );
  };
  return { ...state.value, start, again: () => last.value && start(last.value) };
}

/** What went wrong with an attempt, and the way on. */
export function Trouble({ attempt }: { attempt: Attempt }) {
  if (attempt.missing) return <Dates missing={attempt.missing} then={attempt.again} />;
  if (!attempt.error) return null;
  return (
    <div class="notice bad" role="alert">
      <p>{attempt.error}</p>
      <button type="button" class="button second" onClick={attempt.again}>
        {text.retry}
      </button>
    </div>
  );
}

/** Asks for the dates of terms that nobody has entered. They are kept with the other choices. */
function Dates({ missing, then }: { missing: MissingDates; then: () => void }) {
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
      <h3>{text.dates.title}</h3>
      <p>
        {text.dates.text(missing.year)} {from !== undefined && text.dates.suggested(from)}
      </p>
      {missing.terms.map((term) => (
        <div class="pair" key={term}>
          <DateField label={text.dates.first(term)} name={`${term} start`} value={guess(term)?.start} />
          <DateField label={text.dates.last(term)} name={`${term} end`} value={guess(term)?.end} />
        </div>
      ))}
      <button type="submit" class="button">
        {text.dates.save}
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
