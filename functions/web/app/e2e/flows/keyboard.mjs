import { readFileSync } from "node:fs";

/** Presses Tab until what is focused has that role and name. */
async function tabTo(page, role, name) {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if (await page.getByRole(role, { name }).evaluateAll((all) => all.some((e) => e === document.activeElement))) return;
  }
  throw new Error(`Tab never comes to the ${role} ${name}`);
}

/** From the first view to the file without a mouse. */
export const flows = [
  {
    name: "keyboard only",
    widths: [390, 1280],
    async run({ page, check }) {
      await page.keyboard.press("Tab");
      check(await page.getByRole("link", { name: "Skip to the content" }).evaluate((e) => e === document.activeElement), "the first stop is not the skip link");
      await tabTo(page, "button", "Try it with a sample");
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "Look at your week" }).waitFor();
      await tabTo(page, "link", "Take along");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Take it along", level: 1 }).waitFor();
      check(await page.getByRole("heading", { level: 1 }).evaluate((e) => e === document.activeElement), "the heading of the new step has no focus");
      await tabTo(page, "button", "Download .ics");
      const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
      check(readFileSync(await download.path(), "utf8").includes("BEGIN:VEVENT"), "the file holds no event");
    },
  },
];
