// Takes the pictures of docs/user-guide.md: PAGE_URL=http://localhost:8080 node e2e/pictures.mjs
import { chromium } from "playwright-core";

const url = process.env.PAGE_URL ?? "http://localhost:8080";
const folder = new URL("../../../../docs/pictures/", import.meta.url).pathname;
const browser = await chromium.launch({ executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: false });
const page = await browser.newPage({ viewport: { width: 390, height: 720 }, serviceWorkers: "block", reducedMotion: "reduce", hasTouch: true });
await page.clock.setFixedTime(new Date("2026-08-05T09:40:00+02:00")); // as in the flows
const shot = (name) => page.screenshot({ path: `${folder}${name}.jpg`, type: "jpeg", quality: 70 });
await page.goto(url + "/");
await page.getByText("Where do I get my PDF?").waitFor();
await shot("upload");
await page.getByRole("button", { name: "Try it with a sample" }).click();
for (const [link, title] of [["Look", "Your week"], ["Choose", "Choose your classes"], ["Take along", "Take it along"], ["Mine", "What is yours"]]) {
  await page.getByRole("link", { name: link, exact: true }).click();
  await page.getByRole("heading", { name: title, level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  if (link === "Mine") await page.getByText(/^Your PDFs use/).waitFor();
  await shot(link.toLowerCase().replace(" ", "-"));
}
await page.goto(url + "/#/choose/find");
await page.getByRole("button", { name: "Find timetables" }).click();
await page.getByRole("article", { name: "Timetable 1" }).getByRole("button", { name: "Use this one" }).click();
await page.mouse.move(0, 0);
await page.goto(url + "/#/look/week"); // a week that is chosen shows more than the questions before
await page.getByText("Nothing clashes in this semester.").waitFor();
await shot("look");
await page.goto(url + "/#/look/calendar");
await page.getByRole("region", { name: "Wednesday 5 August 2026" }).getByRole("button").first().waitFor();
await shot("by-date");

// States that a person meets when something is missing. A window of its own each, with nothing kept.
const small = { viewport: { width: 390, height: 440 }, serviceWorkers: "block", reducedMotion: "reduce", hasTouch: true };
async function state(name, reach) {
  const context = await browser.newContext(small);
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date("2026-08-05T09:40:00+02:00"));
  await page.goto(url + "/");
  await page.getByText("Where do I get my PDF?").waitFor();
  const found = await reach(page, context);
  await found.waitFor();
  await found.scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${folder}${name}.jpg`, type: "jpeg", quality: 60 });
  await context.close();
}
const choose = (page, text) => page.getByLabel("Timetable PDFs").setInputFiles({ name: "UP_MOD_XLS.pdf", mimeType: "application/pdf", buffer: Buffer.from(text) });
await state("empty", async (page) => (await page.goto(url + "/#/look"), page.getByRole("heading", { name: "No timetable yet" })));
await state("loading", async (page) => (await page.route("**/api/upload", () => {}), await choose(page, "%PDF-1.7 slow"), page.getByText(/^Sending, /)));
await state("offline", async (page, context) => (await context.setOffline(true), await choose(page, "%PDF-1.7 waits"), page.getByText("You are offline. We keep the file")));
await state("error", async (page) => (await choose(page, "%PDF-1.7\nThis is none.\n"), page.getByRole("alert").first()));
await browser.close();
