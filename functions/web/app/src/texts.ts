/**
 * Every sentence that the page shows, in one place, so that another language can follow. A text with a number or a name in it is
 * a function. Keep one branch for each page.
 */
export const texts = {
  brand: "schedgen",
  skip: "Skip to the content",
  steps: {
    label: "Steps",
    upload: "Upload",
    look: "Look",
    choose: "Choose",
    take: "Take along",
    mine: "Mine",
  },
  titles: {
    upload: "Your UP timetable as a calendar",
    look: "Your week",
    choose: "Choose your classes",
    take: "Take it along",
    mine: "What is yours",
    shared: "A shared week",
  },
  empty: {
    title: "No timetable yet",
    text: "Upload the PDF of your timetable first, or try the sample.",
    upload: "Upload a timetable",
  },
  error: {
    offline: "You are offline. Connect to the internet and try again.",
    unreachable: "We could not reach the server. Check your connection and try again.",
    status: (status: number) =>
      status >= 500 ? `The server has a problem (${status}). Try again in a minute.` : `The server refused this (${status}). Reload the page and try again.`,
    notKept: "Your browser keeps nothing for this page, so a reload loses what you did. Allow site data, or finish without a reload.",
  },
  offline: {
    withEvents: "You are offline. Your timetable is here all the same; uploads and Google wait until you are back.",
    without: "You are offline. A PDF that you choose now is sent when you are back.",
  },
  loading: "Loading…",
  loadFailed: "This part of the page did not load.",
  retry: "Try again",
  again: (seconds: number) => (seconds === 1 ? "We try again in a second." : `We try again in ${seconds} seconds.`),
  signInAgain: "Sign in again",
  copied: "Copied",
  dates: {
    title: "When are lectures?",
    text: (year: number) => `Nobody has entered the dates of ${year} yet. Give the first and the last day of lectures; the university’s almanac has them.`,
    suggested: (from: number) => `These are guesses from ${from}. Check them.`,
    first: (term: string) => `First day of ${term || "lectures"}`,
    last: (term: string) => `Last day of ${term || "lectures"}`,
    save: "Use these dates",
  },
  kinds: { lecture: "Lectures", test: "Tests", exam: "Exams" },
};
