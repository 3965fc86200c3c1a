import { refusal, step, take, uploaded } from "../steps.mjs";

/** What fails on the way, and how the page goes on. */
export const flows = [
  {
    name: "a part of the page that is gone after an update",
    widths: [390],
    refusals: [/^404 .*\/assets\/look/],
    async run({ page, check }) {
      await page.getByRole("button", { name: "Try it with a sample" }).click();
      let asked = 0;
      await page.route("**/assets/look*.js", (route) => (asked++ === 0 ? route.fulfill({ status: 404 }) : route.continue()));
      await page.getByRole("link", { name: "Look", exact: true }).click();
      await page.getByRole("region", { name: "Monday" }).waitFor(); // the page reloaded itself
      check(asked > 1, "the part was not asked for again");
    },
  },
  {
    name: "a server that is busy",
    widths: [360],
    refusals: [/^429 /, /^503 /],
    async run(world) {
      const { page, look } = world;
      await page.route("**/api/upload", (route) => route.fulfill(refusal(503, "UNAVAILABLE", "Too many PDFs wait to be read. Try again in a moment.", { "Retry-After": "1" })), { times: 1 });
      await uploaded(world, "tests");
      await take(page);
      await page.route("**/api/feeds", (route) => route.fulfill(refusal(429, "RATE_LIMITED", "That was a lot at once.", { "Retry-After": "10" })), { times: 1 });
      await page.getByRole("button", { name: "Make my address" }).click();
      await page.getByText("That was a lot at once. We try again in 10 seconds.").waitFor();
      await look("busy");
      await page.getByLabel("Address of your calendar").waitFor();
    },
  },
  {
    name: "a sign-in that ended, and a Google that is away",
    widths: [390],
    refusals: [/^401 .*\/api\/calendars$/, /^503 .*\/api\/calendars$/],
    async run(world) {
      const { page, look } = world;
      await uploaded(world, "tests");
      await page.route("**/api/auth/status", (route) =>
        route.fulfill({ json: { configured: true, authenticated: true, signInAgain: false, email: "student@tuks.example", user: null, canCreate: true, canChoose: true } }));
      await page.route("**/api/calendars", (route) => route.fulfill(refusal(401, "UNAUTHORIZED", "You are no longer signed in.")));
      await take(page);
      await page.getByRole("link", { name: "Sign in again" }).waitFor();
      await look("signed-out");
      await page.unroute("**/api/calendars");
      await page.route("**/api/calendars", (route) => route.fulfill(refusal(503, "GOOGLE_UNAVAILABLE", "We cannot reach Google right now. Try again in a minute.")));
      await step(page, "Mine", "What is yours");
      await page.getByText("We cannot reach Google right now.").waitFor();
      await page.getByText("You have made none.").waitFor(); // the rest is there all the same
      await look("google-away");
    },
  },
];
