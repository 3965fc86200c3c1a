import { expect, test } from "vitest";
import { randomOf } from "../domain/random";
import { changed, merge, mostRemoved, nothing, read, write, type Kept } from "./kept";
import { noChoices, type KeptFeed, type Upload } from "./types";

test("what cannot be read is as if nothing had been kept", () => {
  for (const text of [null, "", "{", "[]", '"x"', '{"uploads":7,"clock":"x","removed":3}']) expect(read(text)).toEqual(nothing);
});

test("what an earlier page kept gets what is new", () => {
  const text = '{"uploads":[{"id":"a","changes":2}],"feeds":[{"id":"f"}],"choices":{"name":"Mine"},"timetable":null}';
  expect(read(text)).toEqual({ ...nothing, uploads: [{ id: "a", changes: 2 }], feeds: [{ id: "f" }], choices: { ...noChoices, name: "Mine" } });
});

test("the same is written the same, in whatever order it came about", () => {
  const upload = (some: object) => ({ id: "a", ...some }) as Upload;
  const one: Kept = { ...nothing, uploads: [upload({ kind: "test", jobId: "j", at: { kind: 2, jobId: 1 } })], removed: { x: 1, y: 2 }, at: { name: 1, year: 2 } };
  const other: Kept = { ...nothing, at: { year: 2, name: 1 }, removed: { y: 2, x: 1 }, uploads: [upload({ at: { jobId: 1, kind: 2 }, jobId: "j", kind: "test" })] };
  expect(write(one)).toBe(write(other));
  expect(read(write(one))).toEqual(one);
});

const upload = (id: string, some: Partial<Upload> = {}): Upload => ({ id, name: id, size: 1, addedAt: `2026-01-0${id}`, state: "waiting", ...some });
const feed = (id: string, some: Partial<KeptFeed> = {}): KeptFeed => ({ id, options: "", token: id, url: "", webcalUrl: "", createdAt: `2026-01-0${id}`, name: "", ...some });
const lists = (...ids: string[]) => ({ uploads: ids.map((id) => upload(id)), feeds: ids.map((id) => feed(id)) });
const timetable = (name: string) => ({ uploads: [], events: [{ id: name } as never] });

/** Both versions, and what becomes of them, in either order. */
const table: Record<string, [ours: Partial<Kept>, theirs: Partial<Kept>, both: Partial<Kept>]> = {
  "nothing and something": [{}, lists("1"), lists("1")],
  "what either added is there, the oldest first": [lists("2", "3"), lists("1", "3"), lists("1", "2", "3")],
  "what one removed is not there": [lists("1", "2"), { ...lists("2"), removed: { "1": 5 } }, { ...lists("2"), removed: { "1": 5 } }],
  "what each removed is not there": [{ removed: { "1": 5, "3": 6 }, ...lists("2") }, { removed: { "1": 7, "2": 6 }, ...lists("3") }, { removed: { "1": 7, "2": 6, "3": 6 } }],
  "an upload is as it was changed last": [
    { uploads: [upload("1", { state: "done", at: { state: 5 } })] }, { uploads: [upload("1", { state: "sending", at: { state: 4 } })] },
    { uploads: [upload("1", { state: "done", at: { state: 5 } })] },
  ],
  "one tab's job and another tab's removal are both kept": [
    { uploads: [upload("1", { jobId: "j", at: { jobId: 4 } })] }, { uploads: [upload("1", { removing: true, at: { removing: 5 } })] },
    { uploads: [upload("1", { jobId: "j", removing: true, at: { jobId: 4, removing: 5 } })] },
  ],
  "what was taken away last is not there": [
    { uploads: [upload("1", { jobId: "j", at: { jobId: 4 } })] }, { uploads: [upload("1", { at: { jobId: 5 } })] }, { uploads: [upload("1", { at: { jobId: 5 } })] },
  ],
  "of changes at the same time a removal counts": [
    { uploads: [upload("1", { removing: true, at: { removing: 4 } })] }, { uploads: [upload("1", { at: { removing: 4 } })] },
    { uploads: [upload("1", { removing: true, at: { removing: 4 } })] },
  ],
  "a feed is as it was changed last": [{ feeds: [feed("1", { options: "b", at: { options: 3 } })] }, { feeds: [feed("1", { options: "a" })] }, { feeds: [feed("1", { options: "b", at: { options: 3 } })] }],
  "each choice is that of its last change": [
    { choices: { ...noChoices, name: "ours", title: "kind" }, at: { name: 3, title: 9 } }, { choices: { ...noChoices, name: "theirs" }, at: { name: 4, title: 8 } },
    { choices: { ...noChoices, name: "theirs", title: "kind" }, at: { name: 4, title: 9 } },
  ],
  "a choice that was taken back stays so": [
    { choices: { ...noChoices, recess: [] }, at: { recess: 3 } }, { choices: noChoices, at: { recess: 4 } }, { choices: noChoices, at: { recess: 4 } },
  ],
  "the timetable is the answer to the last question": [
    { timetable: timetable("a"), at: { timetable: 4 } }, { timetable: timetable("b"), at: { timetable: 3 } }, { timetable: timetable("a"), at: { timetable: 4 } },
  ],
  "whoever forgot everything last counts whole": [
    { generation: 6, ...lists("3"), clock: 7 }, { generation: 5, ...lists("1", "2"), choices: { ...noChoices, name: "old" }, at: { name: 5 }, timetable: timetable("old"), clock: 9 },
    { generation: 6, ...lists("3"), clock: 9 },
  ],
};

test.each(Object.keys(table))("%s", (name) => {
  const [ours, theirs, both] = table[name]!.map((some) => ({ ...nothing, ...some })) as [Kept, Kept, Kept];
  expect(read(write(merge(ours, theirs)))).toEqual(both);
  expect(write(merge(theirs, ours))).toBe(write(both));
});

test("the latest removals are remembered", () => {
  const removed = (from: number, to: number) => Object.fromEntries(Array.from({ length: to - from }, (_, at) => [`u${from + at}`, from + at]));
  const both = merge({ ...nothing, removed: removed(1, mostRemoved) }, { ...nothing, removed: removed(mostRemoved, mostRemoved + 9) });
  expect(both.removed).toEqual(removed(9, mostRemoved + 9));
});

/** A version as it could be, of few names and few stamps, so that many are the same. */
function random(below: (n: number) => number): Kept {
  const some = <T>(make: (id: string) => T) => ["1", "2", "3"].filter(() => below(2) === 0).map(make);
  const value = () => ["a", "b"][below(2)]!;
  const kept: Kept = { ...nothing, generation: below(4) === 0 ? 1 : 0, clock: below(9) };
  kept.uploads = some((id) => (below(2) ? upload(id) : changed(upload(id), { jobId: value(), ...(below(2) ? { removing: true as const } : {}) }, below(3))));
  kept.feeds = some((id) => (below(2) ? feed(id) : changed(feed(id), { options: value() }, below(3))));
  kept.removed = Object.fromEntries(some((id) => [id, below(3)]).slice(0, 1));
  kept.uploads = kept.uploads.filter((u) => !(u.id in kept.removed));
  kept.feeds = kept.feeds.filter((f) => !(f.id in kept.removed));
  kept.choices = { ...noChoices, name: value(), ...(below(2) ? { year: below(2) } : {}) };
  kept.timetable = below(2) ? timetable(value()) : null;
  kept.at = { name: below(3), year: below(3), timetable: below(3) };
  return kept;
}

test("it does not matter who hears of whom first, how often, or in which order", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const below = randomOf(seed);
    const [a, b, c] = [random(below), random(below), random(below)];
    const same = (one: Kept, other: Kept) => expect(write(one), `seed ${seed}`).toBe(write(other));
    same(merge(a, a), a);
    same(merge(a, b), merge(b, a));
    same(merge(merge(a, b), c), merge(a, merge(b, c)));
    same(merge(merge(a, b), a), merge(a, b));
  }
});
