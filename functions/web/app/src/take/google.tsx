import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { GoogleCalendar, SignInStatus } from "../api/client";
import { signInAddress } from "../router";
import { Trouble, useAttempt } from "../shell/attempt";
import { SignedIn } from "../shell/signed-in";
import { academicYear } from "../state/store";
import { texts } from "../texts";
import { takeTexts } from "../texts/take";
import { calendars, createCalendar, signInResult, status } from "./google-client";
import { Plan } from "./plan";

const text = takeTexts.google;

/** The calendar in a Google account: sign in, choose a calendar, see the plan, write it, undo it. */
export function Google() {
  const signIn = useSignal<SignInStatus | null>(null);
  const attempt = useAttempt();
  const result = useSignal("");
  const load = () =>
    attempt.start(async () => {
      signIn.value = await status();
    });
  useEffect(() => {
    result.value = signInResult();
    load();
  }, []);
  return (
    <section class="card" aria-labelledby="google-title">
      <h2 id="google-title">{text.title}</h2>
      <p>{text.text}</p>
      {(result.value === "denied" || result.value === "failed") && (
        <p class="notice warn" role="alert">
          {text[result.value]}
        </p>
      )}
      {signIn.value && <Account status={signIn.value} reload={load} />}
      {attempt.busy && !signIn.value && <p class="soft">{takeTexts.busy}</p>}
      <Trouble attempt={attempt} google="take" />
    </section>
  );
}

function Account({ status, reload }: { status: SignInStatus; reload: () => void }) {
  if (!status.configured) return <p class="soft">{text.off}</p>;
  return (
    <>
      <SignedIn status={status} left={reload} />
      {status.authenticated ? (
        <Calendars canChoose={status.canChoose} />
      ) : (
        <>
          {status.signInAgain && <p class="notice warn">{text.expired}</p>}
          <a class="button" href={signInAddress("take")}>
            {status.signInAgain ? texts.signInAgain : text.signIn}
          </a>
        </>
      )}
    </>
  );
}

/** The new calendar's place in the list. */
const fresh = "";

function Calendars({ canChoose }: { canChoose: boolean }) {
  const list = useSignal<GoogleCalendar[] | null>(null);
  const chosen = useSignal(fresh);
  const name = useSignal(text.defaultName(academicYear.value));
  const planned = useSignal<GoogleCalendar | null>(null);
  const attempt = useAttempt();
  const begun = useRef(false);
  /** Makes the new calendar. Where an earlier try had no answer, it may be there: a second one would stay empty. */
  const create = async (summary: string) => {
    const made = begun.current && (await calendars()).find((c) => c.createdHere && c.summary === summary && !list.value?.some(({ id }) => id === c.id));
    begun.current = true;
    const calendar = made || (await createCalendar(summary));
    begun.current = false;
    return calendar;
  };
  useEffect(() => {
    attempt.start(async () => {
      const found = await calendars();
      list.value = canChoose ? found : found.filter((c) => c.createdHere);
      chosen.value = list.value.find((c) => c.createdHere)?.id ?? fresh;
    });
  }, []);
  const plan = () =>
    attempt.start(async () => {
      const there = list.value?.find((c) => c.id === chosen.value);
      const calendar = there ?? (await create(name.value.trim() || text.defaultName(academicYear.value)));
      if (!there) list.value = [...(list.value ?? []), calendar];
      chosen.value = calendar.id;
      planned.value = calendar;
    });
  if (planned.value) return <Plan key={planned.value.id} calendar={planned.value} back={() => (planned.value = null)} />;
  return (
    <>
      {list.value && (
        <>
          <label class="field">
            <span>{text.which}</span>
            <select class="input" value={chosen.value} onChange={(e) => (chosen.value = e.currentTarget.value)}>
              <option value={fresh}>{text.fresh}</option>
              {list.value.map((c) => (
                <option key={c.id} value={c.id}>
                  {c.summary + (c.createdHere ? text.made : "")}
                </option>
              ))}
            </select>
          </label>
          {chosen.value === fresh && (
            <label class="field">
              <span>{text.freshName}</span>
              <input class="input" maxLength={200} value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
            </label>
          )}
          <button type="button" class="button" disabled={attempt.busy} onClick={plan}>
            {attempt.busy ? takeTexts.busy : text.plan}
          </button>
        </>
      )}
      {attempt.busy && !list.value && <p class="soft">{takeTexts.busy}</p>}
      <Trouble attempt={attempt} google="take" />
    </>
  );
}
