import { readFileSync } from "node:fs";
import { refusal } from "../steps.mjs";

/** The first step: PDFs come in, and what may go wrong with them. */
export const flows = [
  {
    name: "upload several PDFs",
    async run({ page, pdf, look, check, url }) {
      await page.getByRole("heading", { name: "Your UP timetable as a calendar" }).waitFor();
      await page.getByText("Where do I get my PDF?").waitFor();
      await look("upload-empty");
      await page.getByLabel("Timetable PDFs").setInputFiles([pdf("lectures"), pdf("tests"), pdf("exams")]);
      for (const kind of ["Lectures", "Tests", "Exams"]) await page.getByText(new RegExp(`^${kind} · \\d+ entr`)).waitFor();
      await look("upload-done");
      const { uploads } = await (await page.request.get(`${url}/api/timetable`)).json(); // one student's: each upload has the cookie of the first
      check(uploads.length === 3, `the server holds ${uploads.length} of the 3 uploads`);
      await page.reload();
      check((await page.getByText(/ · \d+ entr/).count()) === 3, "a reload lost an upload");
      await page.getByRole("link", { name: "Look at your week" }).click();
      await page.getByRole("heading", { name: "Your week", level: 1 }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "Your UP timetable as a calendar" }).waitFor();
      await page.getByRole("button", { name: "Remove exams.pdf" }).click();
      await page.getByText("exams.pdf").waitFor({ state: "detached" });
    },
  },
  {
    name: "two windows of a new browser upload at once",
    widths: [390],
    async run({ page, context, pdf, check, url }) {
      const other = await context.newPage();
      await other.goto(url + "/");
      await Promise.all([page.getByLabel("Timetable PDFs").setInputFiles(pdf("lectures")), other.getByLabel("Timetable PDFs").setInputFiles(pdf("tests"))]);
      await page.getByText(/^Lectures · \d+ entr/).waitFor();
      await other.getByText(/^Tests · \d+ entr/).waitFor();
      const { uploads } = await (await page.request.get(`${url}/api/timetable`)).json();
      check(uploads.length === 2, `the server holds ${uploads.length} of the 2 uploads`);
    },
  },
  {
    name: "three windows show the same",
    widths: [390],
    async run({ page, context, pdf, check, url }) {
      const windows = [page, await context.newPage(), await context.newPage()];
      for (const other of windows.slice(1)) await other.goto(url + "/");
      await Promise.all(["lectures", "tests", "exams"].map((kind, at) => windows[at].getByLabel("Timetable PDFs").setInputFiles(pdf(kind))));
      for (const window of windows) for (const kind of ["Lectures", "Tests", "Exams"]) await window.getByText(new RegExp(`^${kind} · \\d+ entr`)).waitFor();
      await windows[1].getByRole("button", { name: "Remove tests.pdf" }).click();
      for (const window of windows) await window.getByText("tests.pdf").waitFor({ state: "detached" });
      await windows[1].close();
      await page.reload();
      await windows[2].reload();
      for (const window of [page, windows[2]]) {
        await window.getByText(/^Exams · \d+ entr/).waitFor();
        check((await window.getByText("tests.pdf").count()) === 0, "what was removed came back");
      }
      await page.goto(`${url}/#/mine`);
      await page.getByRole("button", { name: "Delete everything" }).click();
      await page.getByRole("button", { name: "Yes, delete everything" }).click();
      await windows[2].getByRole("button", { name: "Try it with a sample" }).waitFor();
      check((await windows[2].getByText(".pdf").count()) === 0, "what was deleted is still shown in another window");
    },
  },
  {
    name: "drop a PDF, and try again",
    widths: [1280],
    refusals: [/^429 .*\/api\/upload$/],
    async run({ page, pdf, look, check }) {
      await page.route("**/api/upload", (route) => route.fulfill(refusal(429, "RATE_LIMITED", "That was a lot. Come back at 14:10.", { "Retry-After": "1800" })), { times: 1 });
      const carried = await page.evaluateHandle((bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "dropped.pdf", { type: "application/pdf" }));
        return transfer;
      }, [...readFileSync(pdf("tests"))]);
      const here = page.getByText("You can also drop them here.");
      await here.dispatchEvent("dragover", { dataTransfer: carried });
      await page.getByText("Let go to add the PDFs").waitFor();
      await page.getByText("Let go to add the PDFs").dispatchEvent("drop", { dataTransfer: carried });
      await page.getByText("That was a lot. Come back at 14:10.").waitFor();
      await look("upload-later");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText(/^Tests · \d+ entr/).waitFor();
      check((await page.getByText("dropped.pdf").count()) === 1, "the file is listed more than once");
    },
  },
  {
    name: "what is no timetable",
    widths: [360, 1280],
    refusals: [/^422 .*\/api\/upload$/],
    async run({ page, pdf, look }) {
      await page.getByLabel("Timetable PDFs").setInputFiles([{ name: "broken.pdf", mimeType: "application/pdf", buffer: readFileSync(pdf("broken")) }, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("notes") }]);
      await page.getByText("This is not a PDF. Choose the file that the UP Portal downloads").waitFor();
      await page.getByRole("alert").filter({ hasNotText: "This is not a PDF" }).waitFor();
      await look("upload-refused");
    },
  },
  {
    name: "a lost connection",
    widths: [390],
    lost: true,
    async run({ page, context, pdf, look }) {
      await context.setOffline(true);
      await page.getByLabel("Timetable PDFs").setInputFiles(pdf("tests"));
      await page.getByText("You are offline. We keep the file and send it when you are back online.").waitFor();
      await look("upload-offline");
      await context.setOffline(false);
      await page.getByText(/^Tests · \d+ entr/).waitFor();
    },
  },
  {
    name: "a reload while the file is on its way",
    widths: [390],
    lost: true,
    async run({ page, pdf }) {
      await page.route("**/api/upload", (route) => route.abort(), { times: 1 });
      await page.getByLabel("Timetable PDFs").setInputFiles(pdf("tests"));
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await page.reload();
      await page.getByText(/^Tests · \d+ entr/).waitFor();
    },
  },
];
