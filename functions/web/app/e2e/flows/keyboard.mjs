import { readFileSync } from "node:fs";

/** Presses Tab until that is focused. */
async function tabTo(page, wanted) {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluateAll((all) => all.some((e) => e === document.activeElement))) return;
  }
  throw new Error(`Tab never comes to ${wanted}`);
}

/** From the PDF to the file without a mouse. */
export const flows = [
  {
    name: "keyboard only",
    widths: [390, 1280],
    async run({ page, pdf, check }) {
      page.on("filechooser", () => undefined); // from now on, so that the browser knows it long before the key is pressed
      await page.keyboard.press("Tab");
      check(await page.getByRole("link", { name: "Skip to the content" }).evaluate((e) => e === document.activeElement), "the first stop is not the skip link");
      await tabTo(page, page.getByLabel("Timetable PDFs"));
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
      await chooser.setFiles(pdf("lectures"));
      await page.getByRole("link", { name: "Look at your week" }).waitFor();
      await tabTo(page, page.getByRole("link", { name: "Choose", exact: true }));
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Choose your classes", level: 1 }).waitFor();
      const group = page.getByRole("radio").nth(1); // of the first module with a choice; the first leaves it open
      await group.waitFor();
      await tabTo(page, page.getByRole("radio").first());
      await page.keyboard.press("ArrowDown");
      check(await group.isChecked(), "an arrow key does not choose a group");
      await tabTo(page, page.getByRole("link", { name: "Take along" }));
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Take it along", level: 1 }).waitFor();
      check(await page.getByRole("heading", { level: 1 }).evaluate((e) => e === document.activeElement), "the heading of the new step has no focus");
      await tabTo(page, page.getByRole("button", { name: "Download .ics" }));
      const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
      check(readFileSync(await download.path(), "utf8").includes("BEGIN:VEVENT"), "the file holds no event");
    },
  },
];
