import { readFileSync } from "node:fs";
import { take, uploaded } from "../steps.mjs";

/** The calendar goes out: a file, an address, a Google calendar. */
export const flows = [
  {
    name: "the sample becomes a file",
    async run({ page, look, check }) {
      await page.getByRole("button", { name: "Try it with a sample" }).click();
      await page.getByRole("link", { name: "Look at your week" }).waitFor();
      await take(page);
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download .ics" }).click()]);
      const text = readFileSync(await download.path(), "utf8");
      check(text.includes("COS 132") && download.suggestedFilename().endsWith(".ics"), "the file is not the sample's calendar");
      await page.getByText(/^Saved as/).waitFor();
      await look("take-file");
    },
  },
  {
    name: "an address to subscribe to",
    async run(world) {
      const { page, look, check } = world;
      await uploaded(world, "lectures");
      await take(page);
      await page.getByRole("button", { name: "Make my address" }).click();
      const address = await page.getByLabel("Address of your calendar").inputValue();
      const feed = await page.request.get(address);
      check(feed.ok() && (await feed.text()).includes("BEGIN:VEVENT"), "the address gives no calendar");
      await page.getByRole("img", { name: "QR code of the calendar’s address" }).waitFor();
      await page.getByRole("button", { name: "Copy", exact: true }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      check((await page.evaluate(() => navigator.clipboard.readText())) === address, "the clipboard has another address");
      await page.getByText("Google Calendar", { exact: true }).last().scrollIntoViewIfNeeded();
      await look("take-feed");
      await world.context.route("https://calendar.google.com/**", (route) => route.fulfill({ contentType: "text/html", body: "<title>From URL</title>" }));
      await page.evaluate(() => navigator.clipboard.writeText(""));
      await page.getByRole("group").filter({ hasText: "From URL" }).getByText("Google Calendar", { exact: true }).click();
      const [google] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: "Copy, and open Google Calendar" }).click()]);
      await google.waitForURL("**/settings/addbyurl");
      await google.close();
      await page.bringToFront();
      check((await page.evaluate(() => navigator.clipboard.readText())) === address, "the address is not on the clipboard for Google's page");
      await page.reload();
      check((await page.getByLabel("Address of your calendar").inputValue()) === address, "a reload lost the address");
      await page.getByRole("link", { name: "Mine" }).click();
      await page.getByText(/entr.* · made/).waitFor();
      await page.getByText(/Your PDFs use [0-9.]+ of [0-9.,]+ MB on the server/).waitFor();
      await look("mine");
      await page.getByRole("button", { name: "Delete My timetable" }).click();
      await page.getByText("You have made none.").waitFor();
      check((await page.request.get(address)).status() === 404, "the deleted address still gives a calendar");
    },
  },
  {
    name: "Google",
    async run(world) {
      const { page, look, check } = world;
      await uploaded(world, "tests");
      await take(page);
      await page.getByRole("link", { name: "Sign in with Google" }).click();
      await world.google(page);
      await page.getByText(/^Signed in as/).waitFor();
      await page.getByLabel("Which calendar?").selectOption({ label: "A new calendar" });
      await page.getByLabel("Name of the new calendar").fill(`Mine at ${world.width}`);
      await page.getByRole("button", { name: "Show what will change" }).click();
      await page.getByRole("heading", { name: "What will change" }).waitFor();
      await look("google-plan");
      await page.getByRole("button", { name: "Write it" }).click();
      await page.getByText(/^Done\. \d+ entr/).waitFor();
      await look("google-done");
      await page.getByRole("button", { name: "Undo all" }).click();
      await page.getByRole("button", { name: "Yes, remove it" }).click();
      await page.getByText("Everything that schedgen added is removed.").waitFor();
      check(!page.url().includes("signIn"), "the address still tells of the sign-in");

      await page.getByRole("button", { name: "Sign out" }).dblclick(); // the second tap answers nothing
      await look("sign-out");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Yes, sign out" }).click();
      await page.getByRole("heading", { name: "No timetable yet" }).waitFor();
      const left = await page.evaluate(() => JSON.stringify(localStorage));
      check(!left.includes("tests.pdf") && !left.includes("module\\"), `a browser that was signed out still has ${left.slice(0, 200)}`);
    },
  },
  {
    name: "sign in and out under Mine",
    widths: [390],
    async run(world) {
      const { page, look } = world;
      await page.getByRole("link", { name: "Mine" }).click();
      await page.getByRole("link", { name: "Sign in with Google" }).click();
      await world.google(page);
      await page.getByText(/^Signed in as/).waitFor();
      await look("mine-signed-in");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Yes, sign out" }).click();
      await page.getByRole("link", { name: "Sign in with Google" }).waitFor();
      await page.reload();
      await page.getByRole("link", { name: "Sign in with Google" }).waitFor();
    },
  },
  {
    name: "everything is deleted",
    widths: [390],
    async run(world) {
      const { page, look, check } = world;
      await uploaded(world, "exams");
      await page.getByRole("link", { name: "Mine" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download all of it" }).click()]);
      check(JSON.parse(readFileSync(await download.path(), "utf8")).inThisBrowser.uploads.length === 1, "what is downloaded is not all of it");
      await page.getByRole("button", { name: "Delete everything" }).dblclick(); // the second tap answers nothing
      await look("mine-delete");
      await page.getByRole("button", { name: "Yes, delete everything" }).click();
      await page.getByText(/^Everything .* is deleted/).waitFor();
      await page.reload();
      await page.getByText("You have uploaded nothing yet.").waitFor();
    },
  },
];
