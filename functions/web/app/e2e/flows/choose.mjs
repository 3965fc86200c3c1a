import { withSample } from "../steps.mjs";

export const flows = [
  {
    name: "choose groups",
    async run(world) {
      const { page, look, check } = world;
      await withSample(world, "choose/groups");
      await page.getByText("6 choices left").waitFor();
      const cos = page.getByRole("region", { name: "COS 132" });
      const lectures = cos.getByRole("group", { name: "Lectures" });
      await lectures.getByRole("radio", { name: /G02/ }).check();
      await page.getByText("5 choices left").waitFor();
      await lectures.getByRole("button", { name: "Lock COS 132 G02" }).click();
      await look("groups");
      await page.reload();
      check(await lectures.getByRole("radio", { name: /G02/ }).isChecked(), "a reload loses the group");
      check((await lectures.getByRole("button", { name: "Lock COS 132 G02" }).getAttribute("aria-pressed")) === "true", "a reload loses the lock");

      await page.getByRole("checkbox", { name: "Take PHY 114" }).uncheck();
      await page.getByRole("link", { name: "Look", exact: true }).click();
      await page.getByRole("button", { name: /^COS 132 L1 \(G02\)/ }).waitFor();
      check((await page.getByRole("button", { name: /^COS 132 L1 \(G01\)|^PHY 114/ }).count()) === 0, "what was not chosen is in the week");
    },
  },
  {
    name: "find a timetable",
    async run(world) {
      const { page, look, check } = world;
      await withSample(world, "choose/find");
      await page.getByRole("radio", { name: "Early Friday" }).check();
      await look("find");
      await page.getByRole("button", { name: "Find timetables" }).click();
      const best = page.getByRole("article", { name: "Timetable 1" });
      await best.getByText("No clashes").waitFor();
      await best.getByText(/Friday ends at 13:20/).waitFor();
      await look("found");

      await best.getByRole("button", { name: "Use this one" }).click();
      await best.getByText("It is your week now.").waitFor();
      await best.getByRole("button", { name: "Undo" }).click();
      await best.getByRole("button", { name: "Use this one" }).click();
      await best.getByRole("link", { name: "Look at it" }).click();
      await page.getByText("Nothing clashes in this semester.").waitFor();
      await look("week-chosen");

      await page.goBack();
      await page.getByRole("radio", { name: "Free days" }).check();
      await page.getByRole("button", { name: "Search again" }).click();
      const lock = page.getByRole("article", { name: "Timetable 1" }).getByRole("button", { name: /^Lock COS 132 P/ });
      await page.getByText(/Classes on \d days? a week/).first().waitFor();
      const name = (await lock.getAttribute("aria-label")).replace(/ or .*/, "");
      await lock.click();
      await page.getByRole("group", { name: "Locked groups stay" }).waitFor();
      const all = page.getByRole("article");
      await all.first().waitFor();
      const locked = page.getByRole("button", { name, exact: true });
      await locked.first().waitFor();
      check((await locked.count()) === (await all.count()), "a locked group is not in every timetable");
    },
  },
  {
    name: "change dates and days",
    async run(world) {
      const { page, look, check } = world;
      await withSample(world, "choose/dates");
      const term = page.locator("section").filter({ has: page.getByRole("heading", { name: /^Semester \d \d{4}$/ }) });
      await term.getByLabel("First day").fill("2026-07-13");
      await term.getByLabel("Last day").fill("2026-10-16");
      await term.getByRole("button", { name: "Save" }).click();
      await page.getByText("Your own dates.").waitFor();

      const off = page.getByRole("form", { name: "Add days off" });
      await off.getByLabel("First day").fill("2026-08-14");
      await off.getByLabel("What for (optional)").fill("Wedding");
      await off.getByRole("button", { name: "Add" }).click();
      await page.getByRole("button", { name: "Remove Wedding, Friday 14 August 2026" }).waitFor();

      await page.getByText("Change a class").click();
      const form = page.getByRole("form", { name: "Change a class" });
      await form.getByRole("combobox", { name: "Class" }).selectOption({ label: "COS 132 L1 (G01), Monday 08:30" });
      await form.getByRole("combobox", { name: "On" }).selectOption({ label: "Monday 20 July 2026" });
      await form.getByRole("button", { name: "It is moved" }).click();
      await form.getByLabel("New date").fill("2026-07-21");
      await form.getByLabel("Room").fill("Aula");
      await form.getByRole("button", { name: "Save" }).click();
      await page.getByText("COS 132 L1 (G01), Monday 20 July 2026: moved to Tuesday 21 July 2026, Aula").waitFor();

      await page.getByText("Add an extra class").click();
      const extra = page.getByRole("form", { name: "Add an extra class" });
      await extra.getByLabel("Module").selectOption("COS 132");
      await extra.getByLabel("On", { exact: true }).fill("2026-08-01");
      await extra.getByLabel("From").fill("09:00");
      await extra.getByLabel("To", { exact: true }).fill("11:00");
      await extra.getByRole("button", { name: "Add" }).click();
      await page.getByText("COS 132 extra class, Saturday 1 August 2026, 09:00 to 11:00").waitFor();
      await look("own-dates");
      await page.reload();
      await page.getByRole("button", { name: "Remove Wedding, Friday 14 August 2026" }).click();
      check((await page.getByText("Wedding").count()) === 0, "a day off cannot be removed");
    },
  },
  {
    name: "titles, reminders and colours",
    async run(world) {
      const { page, look, check } = world;
      await withSample(world, "choose/style");
      await page.getByLabel("Name of the calendar").fill("My classes");
      await page.getByRole("radio", { name: "COS 132 Practical" }).check();
      await page.getByRole("checkbox", { name: "15 minutes before" }).check();
      const colours = page.getByRole("group", { name: "COS 132", exact: true });
      await colours.getByRole("radio", { name: "Graphite" }).check();
      await look("calendar-style");
      await page.reload();
      check(await page.getByRole("radio", { name: "COS 132 Practical" }).isChecked(), "a reload loses the titles");
      check(await page.getByRole("checkbox", { name: "15 minutes before" }).isChecked(), "a reload loses the reminder");
      check(await colours.getByRole("radio", { name: "Graphite" }).isChecked(), "a reload loses the colour");
      check((await page.getByLabel("Name of the calendar").inputValue()) === "My classes", "a reload loses the name");
    },
  },
];
