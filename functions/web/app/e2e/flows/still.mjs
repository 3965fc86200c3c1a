import { uploaded } from "../steps.mjs";

/** The layout shift that the browser counted since the page was loaded (https://web.dev/cls). */
function shifted(page) {
  return page.evaluate(
    () =>
      new Promise((done) => {
        let sum = 0;
        const watch = new PerformanceObserver((list) => list.getEntries().forEach((e) => (sum += e.hadRecentInput ? 0 : e.value)));
        watch.observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done(sum), 300);
      }),
  );
}

const titles = { Look: "Your week", Choose: "Choose your classes", "Take along": "Take it along", Mine: "What is yours" };

/** Nothing moves while a step loads, and a reload shows the same step. */
export const flows = [
  {
    name: "reload at every step with an uploaded timetable",
    async run(world) {
      const { page, check } = world;
      await uploaded(world, "lectures");
      for (const [link, title] of Object.entries(titles)) {
        await page.getByRole("link", { name: link, exact: true }).click();
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
        await page.reload();
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
        await page.waitForLoadState("networkidle");
        const moved = await shifted(page);
        check(moved === 0, `${link} moves by ${moved} while it loads`);
      }
    },
  },
  {
    name: "reload at every step",
    async run({ page, check }) {
      check((await shifted(page)) === 0, "the first view moves while it loads");
      await page.getByRole("button", { name: "Try it with a sample" }).click();
      for (const [link, title] of Object.entries(titles)) {
        await page.getByRole("link", { name: link, exact: true }).click();
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
        await page.reload();
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
        await page.waitForLoadState("networkidle");
        const moved = await shifted(page);
        check(moved === 0, `${link} moves by ${moved} while it loads`);
      }
      for (const title of ["Take it along", "Choose your classes", "Your week"]) {
        await page.goBack();
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
      }
    },
  },
];
