// What several flows do.

/** Begins with the sample timetable, at the given step. */
export async function withSample({ page, url }, step = "look/week") {
  await page.getByRole("button", { name: "Try it with a sample" }).click();
  await page.getByRole("link", { name: "Look at your week" }).waitFor();
  await page.goto(`${url}/#/${step}`);
}

/** Uploads a timetable and waits until it is read. */
export async function uploaded({ page, pdf }, ...kinds) {
  await page.getByLabel("Timetable PDFs").setInputFiles(kinds.map(pdf));
  await page.getByRole("link", { name: "Look at your week" }).waitFor();
}

/** Goes to a step by its link. */
export async function step(page, link, title) {
  await page.getByRole("link", { name: link, exact: true }).click();
  await page.getByRole("heading", { name: title, level: 1 }).waitFor();
}

export const take = (page) => step(page, "Take along", "Take it along");

/** The first start and the title of each event of a calendar file, in order. */
export function eventsOf(ics) {
  const lines = ics.replaceAll("\r\n ", "").split("\r\n");
  const all = [];
  for (const line of lines) {
    if (line === "BEGIN:VEVENT") all.push({});
    const [, name, value] = /^(DTSTART|SUMMARY)[^:]*:(.*)$/.exec(line) ?? [];
    if (name && all.length) all.at(-1)[name] = value;
  }
  return all.map((e) => `${e.DTSTART} ${e.SUMMARY}`).sort();
}

/** An error of the API. */
export const refusal = (status, code, message, headers = {}) => ({
  status, headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify({ statusCode: status, message, error: code, details: null, timestamp: "", path: "", requestId: "r" }),
});
