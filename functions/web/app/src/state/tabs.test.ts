import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { randomOf, type Random } from "../domain/random";
import { noChoices, type Choices, type KeptFeed, type Upload } from "./types";

type Page = typeof import("./store");

/** A page in a window, with its process's view of localStorage. */
interface Tab {
  page: Page;
  listeners: Record<string, ((e: object) => void)[]>;
  /** What others wrote, and it has not heard of. */
  queue: { text: string; at: number }[];
  view: string | null;
  wroteAt: number;
  asleep: boolean;
}

/**
 * A browser as the standard has it: what one tab writes, all read at once, and are told of later. With processes, as browsers are: each
 * reads what it wrote itself or was told of, so that a tab may write over what it has not seen.
 */
class Browser {
  stored: string | null = null;
  writes = 0;
  tabs: Tab[] = [];
  private current: Tab | null = null;

  constructor(readonly processes: boolean) {
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => (key !== "schedgen/2" ? null : processes ? this.current!.view : this.stored),
      setItem: (_: string, text: string) => this.write(text),
      removeItem: () => undefined,
    });
    vi.stubGlobal("addEventListener", (type: string, listener: (e: object) => void) => (this.current!.listeners[type] ??= []).push(listener));
  }

  private write(text: string) {
    const tab = this.current!;
    this.stored = tab.view = text;
    tab.wroteAt = ++this.writes;
    for (const other of this.tabs) if (other !== tab && !other.asleep) other.queue.push({ text, at: this.writes });
  }

  in<T>(tab: Tab, act: () => T): T {
    this.current = tab;
    return act();
  }

  async open(): Promise<Tab> {
    const tab: Tab = { page: null!, listeners: {}, queue: [], view: this.stored, wroteAt: this.writes, asleep: false };
    this.current = tab;
    vi.resetModules();
    tab.page = await import("./store");
    this.tabs.push(tab);
    return tab;
  }

  /** Tells a tab of the oldest change that it has not heard of; of several at once, of the last alone. */
  tell(tab: Tab, several: boolean) {
    if (several) tab.queue = tab.queue.slice(-1);
    const told = tab.queue.shift();
    if (!told) return;
    if (told.at > tab.wroteAt) tab.view = told.text;
    this.fire(tab, "storage", { key: "schedgen/2", newValue: told.text });
  }

  private fire(tab: Tab, type: string, event: object) {
    this.in(tab, () => tab.listeners[type]?.forEach((listener) => listener(event)));
  }

  /** Tells all of everything. */
  settle() {
    for (let told = 0; this.tabs.some((tab) => tab.queue.length > 0); told++) {
      if (told > 1000) throw new Error("the tabs never agree");
      for (const tab of this.tabs) this.tell(tab, false);
    }
  }

  /** Ends what a tab hears. Between processes it has heard all: nothing could save what it wrote over and did not know. */
  private end(tab: Tab) {
    while (this.processes && tab.queue.length > 0) this.tell(tab, false);
    tab.queue = [];
  }

  close(tab: Tab) {
    this.end(tab);
    this.tabs = this.tabs.filter((other) => other !== tab);
  }

  /** Puts a tab into the browser's memory, as the way back does, or takes it out. */
  sleep(tab: Tab) {
    if (!tab.asleep) this.end(tab);
    tab.asleep = !tab.asleep;
    if (tab.asleep) return;
    tab.view = this.stored;
    this.fire(tab, "pageshow", { persisted: true });
  }
}

/** What the student did and was not forgotten since. */
interface Truth {
  uploads: Map<string, Partial<Upload>>;
  feeds: Map<string, Partial<KeptFeed>>;
  removed: Set<string>;
  choices: Choices;
  answer: string | null;
}

const truthOfNow = (): Truth => ({ uploads: new Map(), feeds: new Map(), removed: new Set(), choices: noChoices, answer: null });

/** A student who does something in one of three windows, again and again. */
class Student {
  now = 1;
  private made = 0;
  readonly truths = new Map<number, Truth>([[0, truthOfNow()]]);

  constructor(private readonly below: Random, private readonly browser: Browser) {
    vi.spyOn(Date, "now").mockImplementation(() => this.now);
  }

  private pick<T>(of: readonly T[]): T | undefined {
    return of[this.below(of.length || 1)];
  }

  /** Between processes two changes in the same millisecond have no order that all could know. */
  private pass() {
    if (this.browser.processes || this.below(2)) this.now++;
  }

  async step() {
    const { browser, below } = this;
    if (browser.tabs.length < 3 && below(3) === 0) return void (await browser.open());
    const tab = this.pick(browser.tabs);
    if (!tab) return;
    const what = below(20);
    const before = browser.writes;
    if (what === 0) browser.close(tab);
    else if (what === 1) browser.sleep(tab);
    else if (tab.asleep) return;
    else if (what < 8) browser.tell(tab, !browser.processes && below(2) === 0);
    else {
      this.pass();
      browser.in(tab, () => this.act(tab.page, what));
      return;
    }
    if (!browser.processes) expect(browser.writes, "what another tab told was written again").toBe(before);
  }

  private act(page: Page, what: number) {
    const name = `n${++this.made}`;
    const truth = () => this.truths.get(page.beginning().generation)!; // after the change: it takes in what another tab forgot
    const upload = this.pick(page.uploads.value);
    const feed = this.pick(page.feeds.value);
    if (what < 10) {
      page.addUpload({ id: name, name, size: 1, addedAt: String(1000 + this.made), state: "waiting" });
      truth().uploads.set(name, { state: "waiting" });
    } else if (what < 13 && upload) {
      const change: Partial<Upload> = this.pick([{ state: "reading", jobId: name }, { state: "done", entries: this.made }, { removing: true }, { removing: undefined }] as const)!;
      page.changeUpload(upload.id, change);
      Object.assign(truth().uploads.get(upload.id) ?? {}, change);
    } else if (what === 13 && upload) {
      page.removeUpload(upload.id);
      truth().removed.add(upload.id);
    } else if (what === 14) {
      page.addFeed({ id: name, token: name, url: "", webcalUrl: "", createdAt: String(1000 + this.made), name, options: "" });
      truth().feeds.set(name, { options: "" });
    } else if (what === 15 && feed) {
      page.changeFeed(feed.id, { options: name });
      Object.assign(truth().feeds.get(feed.id) ?? {}, { options: name });
    } else if (what === 16 && feed) {
      page.removeFeed(feed.id);
      truth().removed.add(feed.id);
    } else if (what < 19) {
      const change: Partial<Choices> = this.pick([{ name }, { groups: { ...page.choices.value.groups, [`m${this.below(3)}`]: { G: name } } }, { modulesOut: [name] }])!;
      page.choose(change);
      const own = truth();
      own.choices = { ...own.choices, ...change };
    } else if (this.below(2)) {
      page.answerTimetable({ uploads: [], events: [], name } as never, page.beginning());
      truth().answer = name;
    } else if (this.below(3) === 0) {
      page.forget();
      this.truths.set(page.beginning().generation, truthOfNow());
    }
  }

  /** What is true in the end, in the form of shown(). */
  expected() {
    const { uploads, feeds, removed, choices, answer } = this.truths.get(Math.max(...this.truths.keys()))!;
    const left = <T>(all: Map<string, T>) => [...all].filter(([id]) => !removed.has(id));
    return JSON.parse(JSON.stringify({ uploads: left(uploads), feeds: left(feeds), choices, answer }));
  }
}

function shown({ uploads, feeds, choices, timetable }: Page) {
  const uploaded = uploads.value.map(({ id, state, jobId, entries, removing }) => [id, { state, jobId, entries, removing }]);
  const answer = (timetable.value as { name?: string } | null)?.name ?? null;
  return JSON.parse(JSON.stringify({ uploads: uploaded, feeds: feeds.value.map(({ id, options }) => [id, { options }]), choices: choices.value, answer }));
}

beforeEach(() => vi.restoreAllMocks());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test.each([
  ["as the standard has it", false],
  ["with a process for each tab", true],
])("in three tabs nothing that was accepted is lost, nothing that was removed comes back, and all end equal: %s", async (_, processes) => {
  for (let seed = 1; seed <= 60; seed++) {
    const browser = new Browser(processes);
    const student = new Student(randomOf(seed), browser);
    for (let step = 0; step < 80; step++) await student.step();
    for (const tab of browser.tabs) if (tab.asleep) browser.sleep(tab);
    browser.settle();
    const last = await browser.open(); // the next visit
    for (const tab of browser.tabs) expect(shown(tab.page), `seed ${seed}, tab ${browser.tabs.indexOf(tab)} of ${browser.tabs.length}`).toEqual(student.expected());
    expect(shown(last.page)).toEqual(student.expected());
  }
});
