/** The page that was visited once opens without a network, with the last timetable. */
export const flows = [
  {
    name: "offline",
    widths: [390],
    worker: true,
    lost: true,
    async run({ page, context, look, check }) {
      await page.getByRole("button", { name: "Try it with a sample" }).click();
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await page.reload(); // now the worker answers
      await page.getByRole("link", { name: "Look", exact: true }).click();
      await page.getByRole("heading", { name: "Your week", level: 1 }).waitFor();
      await context.setOffline(true);
      await page.reload();
      await page.getByText("You are offline. Your timetable is here all the same").waitFor();
      await page.getByText("COS 132").first().waitFor();
      await look("offline");
      const icons = await page.evaluate(async () => (await (await fetch("/manifest.webmanifest")).json()).icons.length);
      check(icons > 0, "the manifest has no icons");
    },
  },
];
