import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { signInAddress } from "../router";
import { feeds, uploads } from "../state/store";
import { Trouble, useAttempt, type Attempt } from "../shell/attempt";
import { Confirm } from "../shell/confirm";
import { save } from "../shell/save";
import { SignedIn } from "../shell/signed-in";
import { texts } from "../texts";
import { mineTexts as text } from "../texts/mine";
import { takeTexts } from "../texts/take";
import { day } from "../texts/words";
import { Item, OtherUpload, otherUploads } from "../upload/item";
import { account, deleteEverything, deleteFeed, everything, keptHere, unfollow, type Account } from "./account";

/** What is kept of the student, and how it is deleted. */
export function Mine() {
  const mine = useSignal<Account | null>(null);
  const attempt = useAttempt();
  const load = async () => {
    mine.value = await account();
  };
  useEffect(() => attempt.start(load), []);
  return (
    <div class="ways mine">
      <Uploads />
      <Stored used={usedOf(mine.value, attempt.error !== null)} load={load} />
      {/* What the server tells comes last, so that it moves nothing when it comes. */}
      {mine.value && <Feeds mine={mine.value} attempt={attempt} load={load} />}
      {mine.value && <Calendars mine={mine.value} attempt={attempt} load={load} />}
      <Trouble attempt={attempt} />
    </div>
  );
}

/** What the PDFs on the server use, as far as that is known. */
function usedOf(mine: Account | null, failed: boolean): string {
  if (mine === null) return failed ? text.usedUnknown : text.usedLoading;
  return mine.storage ? text.used(mine.storage.usedBytes, mine.storage.quotaBytes) : text.usedNothing;
}

function Uploads() {
  return (
    <section class="card" aria-labelledby="uploads-title">
      <h2 id="uploads-title">{text.uploads}</h2>
      {uploads.value.length + otherUploads().length === 0 && <p class="soft">{text.noUploads}</p>}
      <ul class="rows">
        {uploads.value.map((upload) => (
          <Item key={upload.id} upload={upload} note={text.uploaded(day(upload.addedAt))} />
        ))}
        {otherUploads().map((upload) => (
          <OtherUpload key={upload.jobId} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

interface Part {
  mine: Account;
  attempt: Attempt;
  load: () => Promise<void>;
}

function Feeds({ mine, attempt, load }: Part) {
  const remove = (id: string) =>
    attempt.start(async () => {
      await deleteFeed(id);
      await load();
    });
  return (
    <section class="card" aria-labelledby="feeds-title">
      <h2 id="feeds-title">{text.feeds}</h2>
      {mine.feeds.length === 0 && <p class="soft">{text.noFeeds}</p>}
      <ul class="rows">
        {mine.feeds.map((feed) => {
          const name = text.feed(feed.options.name ?? "");
          const kept = feeds.value.find((f) => f.id === feed.id);
          return (
            <li key={feed.id}>
              <div class="grow">
                <strong>{name}</strong>
                <p class="soft">{text.feedState(feed.events, day(feed.createdAt), feed.fetchedAt ? day(feed.fetchedAt) : "")}</p>
                <p class="soft wrap">{kept ? kept.url : text.elsewhere}</p>
              </div>
              <button type="button" class="button danger" aria-label={text.removeNamed(name)} disabled={attempt.busy} onClick={() => remove(feed.id)}>
                {text.remove}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Calendars({ mine, attempt, load }: Part) {
  const end = (id: string) =>
    attempt.start(async () => {
      await unfollow(id);
      await load();
    });
  if (!mine.signIn.configured) return null;
  const again = mine.signIn.signInAgain || mine.problem?.status === 401;
  return (
    <section class="card" aria-labelledby="calendars-title">
      <h2 id="calendars-title">{text.calendars}</h2>
      <SignedIn status={mine.signIn} left={() => attempt.start(load)} />
      {!mine.signIn.authenticated && <p class="soft">{text.signedOut}</p>}
      {(!mine.signIn.authenticated || again) && (
        <a class="button second" href={signInAddress("mine")}>
          {again ? texts.signInAgain : takeTexts.google.signIn}
        </a>
      )}
      {mine.problem && !again && (
        <p class="notice warn">
          {mine.problem.message}{" "}
          <button type="button" class="button quiet" disabled={attempt.busy} onClick={() => attempt.start(load)}>
            {texts.retry}
          </button>
        </p>
      )}
      {mine.signIn.authenticated && mine.calendars?.length === 0 && <p class="soft">{text.noCalendars}</p>}
      <ul class="rows">
        {(mine.calendars ?? []).map((c) => (
          <li key={c.id}>
            <div class="grow">
              <strong>{c.summary}</strong>
              <p class="soft">{text.calendar(c.syncedAt ? day(c.syncedAt) : "", c.following)}</p>
            </div>
            {c.following && (
              <button type="button" class="button second" aria-label={text.unfollowNamed(c.summary)} disabled={attempt.busy} onClick={() => end(c.id)}>
                {text.unfollow}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Stored({ used, load }: { used: string; load: () => Promise<void> }) {
  const deleted = useSignal("");
  const attempt = useAttempt();
  const download = () => attempt.start(async () => save({ name: text.fileName, content: await everything() }));
  const remove = () =>
    attempt.start(async () => {
      deleted.value = await deleteEverything();
      await load();
    });
  return (
    <section class="card" aria-labelledby="stored-title">
      <h2 id="stored-title">{text.stored}</h2>
      <ul>
        {text.storedList.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p class="soft two-lines">{used}</p>
      <p class="soft">
        {text.noAccount} {text.here(keptHere.value)}
      </p>
      <div class="buttons">
        <button type="button" class="button second" disabled={attempt.busy} onClick={download}>
          {text.download}
        </button>
        <Confirm
          key={deleted.value}
          danger
          ask={text.deleteAll}
          question={text.deleteAsk}
          yes={attempt.busy ? text.deleting : text.deleteYes}
          no={text.no}
          disabled={attempt.busy}
          confirmed={remove}
        />
      </div>
      <div role="status">{deleted.value && <p class="notice good">{deleted.value}</p>}</div>
      <Trouble attempt={attempt} />
    </section>
  );
}
