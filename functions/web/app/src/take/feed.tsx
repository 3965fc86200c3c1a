import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { ask, type Feed as FeedAnswer } from "../api/client";
import { Trouble, useAttempt } from "../shell/attempt";
import { copyAtOnce, CopyButton } from "../shell/copy";
import { Icon } from "../shell/icon";
import { addFeed, beginning, changeFeed, choices, feeds, forgottenSince } from "../state/store";
import type { KeptFeed } from "../state/types";
import { takeTexts } from "../texts/take";
import { chosenOptions } from "../state/request";
import { QR } from "./qr";

const text = takeTexts.feed;
const fromUrl = "https://calendar.google.com/calendar/r/settings/addbyurl";

/** An address to subscribe to. */
export function Feed() {
  const feed = feeds.value.at(-1);
  return (
    <section class="card" aria-labelledby="feed-title">
      <h2 id="feed-title">{text.title}</h2>
      <p>{text.text}</p>
      {feed ? <Made feed={feed} /> : <Make />}
    </section>
  );
}

function Make() {
  const attempt = useAttempt();
  const make = () =>
    attempt.start(async () => {
      const options = chosenOptions();
      const since = beginning();
      const { id, token, url, webcalUrl } = await ask<FeedAnswer>("/api/feeds", { method: "POST", body: options });
      const kept: KeptFeed = { id, token, url, webcalUrl, createdAt: new Date().toISOString(), name: choices.value.name, options: JSON.stringify(options) };
      if (!forgottenSince(since)) addFeed(kept);
    });
  return (
    <>
      <button type="button" class="button" disabled={attempt.busy} onClick={make}>
        <Icon name="retry" />
        {attempt.busy ? takeTexts.busy : text.make}
      </button>
      <Trouble attempt={attempt} />
    </>
  );
}

function Made({ feed }: { feed: KeptFeed }) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <Stale feed={feed} />
      <Address feed={feed} field={field} />
      <div class="buttons">
        <a class="button second" href={feed.webcalUrl}>
          <Icon name="look" />
          {text.open}
        </a>
      </div>
      <QR address={feed.webcalUrl} />
      <p class="soft">{text.secret}</p>
      <h3>{text.how}</h3>
      <How title={text.google.title} steps={text.google.steps}>
        <a class="button second" href={fromUrl} target="_blank" rel="noopener noreferrer" onClick={() => field.current && copyAtOnce(field.current)}>
          {text.google.go}
        </a>
      </How>
      <How title={text.apple.title} steps={text.apple.steps} />
      <How title={text.outlook.title} steps={text.outlook.steps} />
    </>
  );
}

/** The address to copy. */
function Address({ feed, field }: { feed: KeptFeed; field: RefObject<HTMLInputElement> }) {
  return (
    <div class="address">
      <label class="field">
        <span>{text.address}</span>
        <input ref={field} class="input" readOnly value={feed.url} onFocus={(e) => e.currentTarget.select()} />
      </label>
      <CopyButton value={feed.url} label={text.copy} field={field} />
    </div>
  );
}

/** Says that the feed was made with other choices, and changes that. */
function Stale({ feed }: { feed: KeptFeed }) {
  const attempt = useAttempt();
  const updated = useSignal(false);
  const options = chosenOptions();
  const now = JSON.stringify(options);
  if (feed.options === now) return <div role="status">{updated.value && <p class="notice good">{text.updated}</p>}</div>;
  const update = () =>
    attempt.start(async () => {
      await ask(`/api/feeds/${feed.token}`, { method: "PUT", body: options });
      changeFeed(feed.id, { options: now });
      updated.value = true;
    });
  return (
    <div class="notice warn">
      <p>{text.stale}</p>
      <button type="button" class="button" disabled={attempt.busy} onClick={update}>
        {attempt.busy ? takeTexts.busy : text.update}
      </button>
      <Trouble attempt={attempt} />
    </div>
  );
}

function How({ title, steps, children }: { title: string; steps: string[]; children?: preact.ComponentChildren }) {
  return (
    <details class="how">
      <summary>{title}</summary>
      <ol>
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {children}
    </details>
  );
}
