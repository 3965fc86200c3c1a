import { readFileSync } from "node:fs";

/** Without script a plain form gives the calendar. */
export const flows = [
  {
    name: "without script",
    widths: [390],
    noScript: true,
    async run({ page, pdf, check }) {
      await page.getByLabel("Timetable (PDF)").setInputFiles(pdf("exams"));
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByRole("heading", { name: "Exams" }).waitFor();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /Download the calendar/ }).click()]);
      check(readFileSync(await download.path(), "utf8").includes("BEGIN:VEVENT"), "the file holds no event");
    },
  },
];
