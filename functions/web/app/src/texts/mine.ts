import { entries } from "./words";

const megabytes = (bytes: number) => (Math.ceil((bytes / 2 ** 20) * 10) / 10).toLocaleString("en");

/** The sentences of the last step. */
export const mineTexts = {
  uploads: "Timetables",
  noUploads: "You have uploaded nothing yet.",
  uploaded: (day: string) => `Uploaded ${day}`,
  remove: "Delete",
  removeNamed: (name: string) => `Delete ${name}`,
  feeds: "Addresses to subscribe to",
  noFeeds: "You have made none.",
  feed: (name: string) => name || "My timetable",
  feedState: (events: number, made: string, fetched: string) => `${entries(events)} · made ${made}${fetched ? ` · last fetched ${fetched}` : ""}`,
  elsewhere: "Its address is kept in the browser that made it.",
  calendars: "Google calendars",
  noCalendars: "schedgen writes to none of your calendars.",
  signedOut: "Sign in to see them, and what you uploaded in other browsers.",
  calendar: (synced: string, following: boolean) => `${synced ? `Last written ${synced}` : "Not written yet"}${following ? " · follows your uploads" : ""}`,
  unfollow: "Stop following",
  unfollowNamed: (name: string) => `Stop following with ${name}`,
  stored: "What we keep",
  storedList: [
    "Your PDFs: at most 24 hours after they were read.",
    "What they say, and your addresses: until you delete them, or nobody has used them for about a year.",
    "Your choices: only in this browser, until you delete them.",
    "With Google: your address and a key to your calendars, encrypted, until you sign out for good.",
  ],
  used: (bytes: number, quota: number) => `Your PDFs use ${megabytes(bytes)} of ${megabytes(quota)} MB on the server.`,
  usedNothing: "Your PDFs use nothing on the server.",
  noAccount: "Without an account, a cookie tells the server what is yours. If you delete the cookie, nobody can reach it any more, and it ends by itself.",
  here: (kilobytes: number) => `${kilobytes} kB are kept in this browser.`,
  download: "Download all of it",
  fileName: "schedgen-my-data.json",
  deleteAll: "Delete everything",
  deleteAsk: "Delete your timetables, addresses and choices, here and on the server? Calendars that subscribed stop being updated. What is in Google Calendar stays there: use “Undo all” under Take along first if you want it gone.",
  deleteYes: "Yes, delete everything",
  no: "No",
  deleted: "Everything of yours is deleted.",
  deleting: "Deleting…",
};
