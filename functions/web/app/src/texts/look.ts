import { entries, plural } from "./words";

const days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const months = "January February March April May June July August September October November December".split(" ");

/** "Monday 9 March 2026" of 2026-03-09. */
function longDate(date: string, weekday: number): string {
  const [year, month, day] = date.split("-").map(Number) as [number, number, number];
  return `${days[weekday] ?? ""} ${day} ${months[month - 1]} ${year}`.trim();
}

/** "9 Mar" of 2026-03-09. */
function shortDate(date: string): string {
  const [, month, day] = date.split("-").map(Number) as [number, number, number];
  return `${day} ${months[month - 1]?.slice(0, 3)}`;
}

/** What Look and the page of a shared week say. */
export const look = {
  days,
  months,
  longDate,
  shortDate,
  dayMonthYear: (date: string) => `${shortDate(date)} ${date.slice(0, 4)}`,
  views: { label: "Views", week: "Week", days: "By day", dates: "Tests & exams", months: "Months" },
  dated: {
    label: "Which week",
    every: "Every week",
    byDate: "By date",
    before: "Week before",
    after: "Week after",
    today: "This week",
    range: (first: string, last: string) => `${first} to ${last}`,
    loading: "Making your calendar…",
    none: "Nothing is held in this week.",
    holiday: "Public holiday",
    recess: "Recess",
    noLectures: "No lectures",
    own: "Your day off",
    follows: (weekday: string) => `Like a ${weekday}`,
    differs: "Differs",
    sample: "A made-up timetable, in this year’s weeks.",
    notes: "About this calendar",
  },
  semester: { label: "Semester", S1: "Semester 1", S2: "Semester 2" },
  kinds: { lecture: "Lectures", practical: "Practicals", tutorial: "Tutorials", discussion: "Discussions", other: "Other classes", test: "Tests", exam: "Exams" },
  kind: { lecture: "lecture", practical: "practical", tutorial: "tutorial", discussion: "discussion class", other: "class", test: "test", exam: "exam" },
  filter: "Show",
  showAll: "Show all",
  print: "Print",
  share: "Share",
  between: (start: string, end: string) => `${start} to ${end}`,
  about: (end: string) => `about ${end}`,
  noTime: "no time",
  clashMark: "Clash",
  doubtMark: "Check",
  clashes: (count: number) => `${plural(count, "clash", "clashes")} in this semester`,
  noClashes: "Nothing clashes in this semester.",
  clashesWith: (title: string) => `clashes with ${title}`,
  alternativeOf: (title: string) => `at the same time as its alternative ${title}`,
  toChoose: (count: number) => `You still have ${plural(count, "choice")} of groups to make, so more classes are shown than you attend.`,
  choose: "Choose groups",
  find: "Find me a timetable",
  doubts: (count: number) => `${entries(count)} could not be read with certainty`,
  doubtsHint: "Compare with your PDF. We show what is printed there, and change nothing by guessing.",
  printedAt: (page: number, row: number) => `Page ${page}, row ${row} of your PDF`,
  unplaced: "Without a place in the week",
  unplacedHint: "The day or time of these could not be read, so they are in no calendar.",
  nothing: "No classes in this semester.",
  nothingShown: "Everything is hidden by what you chose to show.",
  noDates: "No tests or exams yet. Upload the PDF of your tests (UP_TST_PDF) or exams (UP_EXAM_SS) to see them here.",
  over: "Over",
  coming: "Coming up",
  noDate: "Date not readable",
  venues: (venues: string[]) =>
    venues.length === 0 ? "No venue printed" : venues.length < 4 ? venues.join(", ") : `${venues.slice(0, 2).join(", ")} and ${venues.length - 2} more rooms`,
  left: (count: number) => (count === 0 ? "today" : count === 1 ? "tomorrow" : count > 0 ? `in ${count} days` : "over"),
  estimated: "The university prints no end. We assume three hours.",
  month: (month: number, year: number) => `${months[month - 1]} ${year}`,
  details: {
    close: "Close",
    when: "When",
    where: "Where",
    group: "Group",
    term: "Term",
    language: "Language",
    campus: "Campus",
    notes: "Notes",
    paper: "Paper",
    clashes: "Clashes with",
    every: (day: string) => `Every ${day}`,
    leaveOut: "Leave this out",
    other: "Choose another group",
    noVenue: "No venue printed",
    languages: { E: "English", A: "Afrikaans" } as Record<string, string>,
  },
  terms: { S1: "Semester 1", S2: "Semester 2", Q1: "Quarter 1", Q2: "Quarter 2", Q3: "Quarter 3", Q4: "Quarter 4", Y: "The whole year" } as Record<string, string>,
  sharing: {
    title: "Share your week",
    hint: "Whoever has the link sees your week as it is now. It is all in the link itself: no server keeps it, and nobody can change your timetable with it.",
    name: "Name shown with it (optional)",
    namePlaceholder: "Thandi",
    link: "Link to your week",
    copy: "Copy link",
    send: "Send…",
    tooLong: "This week has too many classes for a link. Choose your groups first.",
    text: "My week at UP",
  },
  shared: {
    whose: (name: string) => (name ? `${name}’s week` : "A friend’s week"),
    readOnly: (year: number) => `Shared with you, ${year}. You can look at it, not change it.`,
    bad: "This link holds no week",
    badHint: "It was cut short or changed on its way. Ask your friend to copy and send it again.",
    free: "When you are both free",
    freeHint: "Between 07:30 and 17:30, from half an hour on, in the semester shown. Green in the week above.",
    noFree: "You have no free half hour in common.",
    none: "nothing",
    compare: "Upload your own timetable to see when you are both free.",
    upload: "Upload a timetable",
    freeSlot: (start: string, end: string) => `both free from ${start} to ${end}`,
  },
};
