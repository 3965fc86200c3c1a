import { uploaded, withSample } from "../steps.mjs";

/** How many pages a browser prints. */
async function printed(page) {
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  return (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
}

export const flows = [
  {
    name: "look at the timetable",
    async run(world) {
      const { page, look, check, url } = world;
      await withSample(world);
      const monday = page.getByRole("region", { name: "Monday" });
      await monday.getByRole("button", { name: /^COS 132 L1 \(G01\), lecture, Monday 08:30 to 09:20, IT 4-1, clashes with PHY 114 L1/ }).waitFor();
      await page.getByText(/clashes in this semester/).waitFor();
      await look("week");
      await page.reload();
      await monday.getByRole("button", { name: /^COS 132 L1/ }).waitFor();
      check((await printed(page)) === 1, "the week is not printed on one page");

      const present = await page.locator(".now").boundingBox(); // a line that only eyes see
      const day = await page.getByRole("region", { name: "Wednesday" }).boundingBox();
      check(present && day && present.x >= day.x && present.x + present.width <= day.x + day.width + 1 && present.y > day.y, "there is no line of the present on Wednesday");
      check((await page.getByRole("region", { name: "Saturday" }).count()) === 0, "a weekend without classes is shown");

      await page.getByRole("link", { name: "By day" }).click();
      await page.getByRole("heading", { name: "Tuesday" }).waitFor();
      await look("by-day");
      await page.getByRole("link", { name: "Tests & exams" }).click();
      await page.getByRole("button", { name: /WTW 114 Test 1/ }).waitFor();
      await look("dates");
      await page.getByRole("link", { name: "Months" }).click();
      await page.getByRole("button", { name: /WTW 114 Test 1.*test/ }).waitFor();
      await look("months");
      await page.goBack();
      await page.goBack();
      await page.getByRole("heading", { name: "Tuesday" }).waitFor();
      check(page.url() === `${url}/#/look/days`, "back does not lead to the view before");
    },
  },
  {
    name: "exams end when they are thought to end",
    widths: [360],
    async run(world) {
      const { page } = world;
      await uploaded(world, "exams");
      await page.getByRole("link", { name: "Look at your week" }).click();
      const exam = page.getByRole("listitem").getByRole("button", { name: /\babout \d\d:\d\d/ }).first();
      await exam.waitFor(); // an end that is not printed does not look as if it were
      await exam.click();
      await page.getByRole("dialog").getByText(/about \d\d:\d\d/).waitFor();
    },
  },
  {
    name: "hide, open and leave out",
    async run(world) {
      const { page, look, check } = world;
      await withSample(world);
      const classes = page.getByRole("button", { name: /^PHY 114 / });
      await classes.first().waitFor();
      await page.getByRole("button", { name: "PHY 114", exact: true }).click();
      check((await classes.count()) === 0, "a hidden module is shown");
      await look("week-filtered");
      await page.getByRole("button", { name: "Show all" }).click();
      await classes.first().waitFor();

      await page.getByRole("button", { name: /^AIM 111 P1/ }).click();
      const details = page.getByRole("dialog", { name: "AIM 111 P1 (P01)" });
      await details.getByText("Page 1, row 22 of your PDF").waitFor();
      await look("details");
      await details.getByRole("button", { name: "Leave this out" }).click();
      await details.waitFor({ state: "detached" });
      check((await page.getByRole("button", { name: /^AIM 111 P1/ }).count()) === 0, "a class that was left out is shown");

      await page.getByRole("link", { name: "Choose", exact: true }).click();
      await page.getByRole("link", { name: "Calendar", exact: true }).click();
      await look("left-out");
      await page.getByRole("button", { name: "Put back AIM 111 P1 (P01), Friday, 11:30" }).click();
      await page.getByRole("link", { name: "Look", exact: true }).click();
      await page.getByRole("button", { name: /^AIM 111 P1/ }).waitFor();
    },
  },
  {
    name: "look with the keyboard",
    widths: [390, 1280],
    async run(world) {
      const { page, check } = world;
      await withSample(world);
      const first = page.getByRole("button", { name: /^COS 132 L1 \(G01\)/ });
      await first.waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
      for (let presses = 0; presses < 60 && !(await focused()).startsWith("COS 132 L1 (G01)"); presses++) await page.keyboard.press("Tab");
      check((await focused()).startsWith("COS 132 L1 (G01)"), "Tab does not lead to the first class");
      await page.keyboard.press("Enter");
      const details = page.getByRole("dialog", { name: "COS 132 L1 (G01)" });
      await details.waitFor();
      await page.keyboard.press("Escape");
      await details.waitFor({ state: "detached" });
      check((await focused()).startsWith("COS 132 L1 (G01)"), "closing the details loses the place in the week");
    },
  },
  {
    name: "share a week and compare",
    async run(world) {
      const { page, look, check, url } = world;
      await withSample(world);
      await page.getByRole("button", { name: "Share" }).click();
      const dialog = page.getByRole("dialog", { name: "Share your week" });
      await dialog.getByLabel(/Name shown with it/).fill("Thandi");
      const link = await dialog.getByLabel("Link to your week").inputValue();
      check(link.startsWith(`${url}/#/shared/`) && link.length < 2000, `the link is ${link}`);
      await look("share");
      await dialog.getByRole("button", { name: "Close" }).click();

      await page.goto(link);
      await page.getByRole("heading", { name: "Thandi’s week" }).waitFor();
      await page.getByRole("region", { name: "Monday" }).getByText(/COS 132 L1/).first().waitFor();
      await page.getByRole("heading", { name: "When you are both free" }).waitFor();
      await page.getByText(/07:30–08:30/).first().waitFor();
      await look("shared");
      await page.goto(link.slice(0, -3));
      await page.getByRole("heading", { name: "This link holds no week" }).waitFor();
      await look("shared-bad");
    },
  },
  {
    name: "a week by its dates",
    async run(world) {
      const { page, look, check, url } = world;
      await withSample(world, "choose/dates");
      await page.getByText("Change a class").click();
      const form = page.getByRole("form", { name: "Change a class" });
      await form.getByRole("combobox", { name: "Class" }).selectOption({ label: "COS 132 L1 (G01), Monday 08:30" });
      await form.getByRole("combobox", { name: "On" }).selectOption({ label: "Monday 3 August 2026" });
      await form.getByRole("button", { name: "It is moved" }).click();
      await form.getByLabel("New date").fill("2026-08-04");
      await form.getByLabel("Room").fill("Aula");
      await form.getByRole("button", { name: "Save" }).click();
      const off = page.getByRole("form", { name: "Add days off" });
      await off.getByLabel("First day").fill("2026-08-06");
      await off.getByLabel("What for (optional)").fill("Wedding");
      await off.getByRole("button", { name: "Add" }).click();

      await page.getByRole("link", { name: "Look", exact: true }).click();
      await page.getByRole("link", { name: "By date" }).click();
      await page.getByRole("heading", { name: "3 Aug to 9 Aug 2026" }).waitFor();
      const day = (name) => page.getByRole("region", { name, exact: true });
      const moved = day("Tuesday 4 August 2026").getByRole("button", { name: /^COS 132 L1 \(G01\), .*Aula, .*Moved from/ });
      await moved.waitFor();
      check((await day("Monday 3 August 2026").getByRole("button", { name: /^COS 132 L1 \(G01\)/ }).count()) === 0, "a moved class is still where it was");
      await day("Thursday 6 August 2026, Wedding").waitFor();
      check((await day("Thursday 6 August 2026, Wedding").getByRole("button").count()) === 0, "classes are held on a day off");
      await look("week-dated");
      await moved.click();
      await page.getByRole("dialog").getByText("Tuesday 4 August 2026, 08:30 to 09:20").waitFor();
      await page.keyboard.press("Escape");

      await page.getByRole("link", { name: "Week after" }).click();
      await page.getByRole("region", { name: /^Monday 10 August 2026, .*Women/ }).waitFor();
      check(page.url() === `${url}/#/look/calendar/2026-08-10`, `the address is ${page.url()}`);
      await page.reload();
      await page.getByRole("heading", { name: "10 Aug to 16 Aug 2026" }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "3 Aug to 9 Aug 2026" }).waitFor();
      check((await printed(page)) === 1, "the week by dates is not printed on one page");
    },
  },
];
