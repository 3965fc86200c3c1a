import { entries } from "./words";

/** The sentences of the first step. */
export const uploadTexts = {
  lead: "Turn the PDF from the UP Portal into a calendar that is right: choose your groups, check the week, then take it along. No account needed.",
  pick: "Choose PDFs",
  together: "Lectures, tests and exams together, if you like.",
  drop: "You can also drop them here.",
  dropNow: "Let go to add the PDFs",
  fileLabel: "Timetable PDFs",
  sample: "Try it with a sample",
  list: "Your timetables",
  elsewhere: (day: string, held: number) => `Uploaded ${day}, in another browser · ${held > 0 ? entries(held) : "replaced by a newer one"}`,
  sampleName: "Sample timetable",
  state: {
    waiting: "Waiting to be sent",
    sending: (percent: number) => `Sending, ${percent} %`,
    reading: "Reading the PDF",
    done: (classes: number, doubts: number) =>
      `${entries(classes)}${doubts ? `, ${doubts} to check` : ""}`,
  },
  remove: (name: string) => `Remove ${name}`,
  next: "Look at your week",
  more: "Add another PDF at any time. A newer PDF of the same semester replaces the older one.",
  wherePdf: "Where do I get my PDF?",
  steps: [
    "Open the UP Portal: “My UP Login” at the top of up.ac.za.",
    "Go to the Student Centre, then Timetable.",
    "Choose the year and the semester, then Lectures (or Tests, or Exams).",
    "Press the download button above the list.",
  ],
  names: "The file’s name begins with UP_MOD_XLS for lectures, UP_TST_PDF for tests and UP_EXAM_SS for exams. The portal’s menus change a little from year to year.",
  privacy: "We delete the PDF within 24 hours of reading it. What it says is yours to delete at any time, under Mine.",
  problem: {
    empty: "This file is empty. Download it again from the UP Portal.",
    unreadable: "We could not open this file. Save it on this device, then choose it again.",
    notPdf: "This is not a PDF. Choose the file that the UP Portal downloads; its name ends in .pdf.",
    tooLarge: "This file is larger than 10 MB. A timetable is far smaller: check that you chose the right file.",
    lost: "The file was not sent before the page was closed, and your browser did not keep it. Choose it again.",
    noEvents: "We read this PDF, but it lists no classes, tests or exams. Check that you chose the right file.",
    offline: "You are offline. We keep the file and send it when you are back online.",
    lostSoon: (seconds: number) => `The connection was lost. We try again in ${seconds} seconds.`,
    soon: (seconds: number) => `The server is busy. We try again in ${seconds} seconds.`,
    gone: "The server no longer has this upload. Choose the file again.",
  },
};
