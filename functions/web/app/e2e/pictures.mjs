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
await browser.close();
