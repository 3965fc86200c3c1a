import { readFileSync } from "node:fs";
import { eventsOf, step, take, uploaded } from "../steps.mjs";

const lecturer = "A Lecturer";

async function downloaded(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download .ics" }).click()]);
  return eventsOf(readFileSync(await download.path(), "utf8"));
}

/** The titles of events, in order. */
const titles = (events) => events.map((e) => e.slice(e.indexOf(" ") + 1)).sort();

/** What is chosen once is in the file, in the feed and at Google, and in the student's other browser. */
export const flows = [
  {
    name: "one choice serves all",
    widths: [390],
    async run(world) {
      const { page, look, check } = world;
      await uploaded(world, "lectures");
      await step(page, "Look", "Your week");
      const first = page.getByRole("region", { name: "Monday" }).getByRole("listitem").getByRole("button").first();
      const left = (await first.getAttribute("title"));
      await first.click();
      await page.getByRole("dialog").getByRole("button", { name: "Leave this out" }).click();
      await page.goto(`${world.url}/#/choose/style`);
      const style = page.getByRole("group", { name: "Titles of classes" }).getByRole("radio").nth(1); // module and activity, without the group
      await style.check();

      await take(page);
      const file = await downloaded(page);
      check(file.length > 0 && file.every((e) => !/\(/.test(e)), `titles are written in full: ${file[0]}`);
      await page.getByRole("button", { name: "Make my address" }).click();
      const address = await page.getByLabel("Address of your calendar").inputValue();
      const feed = async () => eventsOf(await (await page.request.get(address)).text());
      check(String(await feed()) === String(file), "the feed differs from the file");

      await page.getByRole("link", { name: "Sign in with Google" }).click();
      await world.google(page, lecturer);
      await page.getByLabel("Name of the new calendar").fill("One choice");
      await page.getByRole("button", { name: "Show what will change" }).click();
      await page.getByText("Show each entry").click();
      const planned = await page.getByRole("listitem").filter({ hasText: /^Add/ }).evaluateAll((all) => all.map((li) => li.childNodes[2].textContent));
      check(String(planned.sort()) === String(titles(file)), `Google would get ${planned}, not ${titles(file)}`);
      await page.getByRole("button", { name: "Write it" }).click();
      await page.getByText(new RegExp(`^Done. ${file.length} entr`)).waitFor();

      await page.goto(`${world.url}/#/choose/style`);
      await page.getByRole("button", { name: `Put back ${left}` }).click();
      await take(page);
      check(String(await feed()) === String(file), "the feed changed before it was told to");
      await page.getByRole("button", { name: "Bring it up to date" }).click();
      await page.getByText("It is up to date.").waitFor();
      const more = await downloaded(page);
      check(more.length === file.length + 1 && String(await feed()) === String(more), "what was put back is not in both the file and the feed");

      await step(page, "Mine", "What is yours");
      await page.getByText(/^Last written .* · follows your uploads$/).first().waitFor();
      const other = await world.another();
      await other.getByRole("link", { name: "Mine" }).click();
      await other.getByText("You have uploaded nothing yet.").waitFor();
      await other.getByRole("link", { name: "Sign in with Google" }).click();
      await world.google(other, lecturer);
      await other.getByText(/^Lectures · Uploaded .*, in another browser/).waitFor();
      await look("mine-elsewhere", other);
      await step(other, "Look", "Your week");
      await other.getByRole("region", { name: "Monday" }).getByRole("listitem").first().waitFor();
      await step(other, "Mine", "What is yours");
      await other.getByRole("button", { name: "Remove lectures.pdf" }).click();
      await other.getByText("lectures.pdf").waitFor({ state: "detached" });
    },
  },
];
