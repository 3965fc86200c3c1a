import { step } from "../steps.mjs";

/** How long a person takes to read and to tap, in seconds. */
const thought = 2.5;

/** Lighthouse's slow 4G, with a processor 4 times slower: bits a second down and up, and milliseconds a round trip. */
const slow4G = { down: 1.6e6, up: 750e3, trip: 150, processor: 4 };

async function slow(page, context) {
  const debug = await context.newCDPSession(page);
  await debug.send("Network.enable");
  await debug.send("Network.emulateNetworkConditions", { offline: false, latency: slow4G.trip, downloadThroughput: slow4G.down / 8, uploadThroughput: slow4G.up / 8 });
  await debug.send("Emulation.setCPUThrottlingRate", { rate: slow4G.processor });
}

/** Somebody who was never here goes from the PDF to a subscribed calendar without clashes, on a phone. */
export const flows = [
  {
    name: "the first visit, on a phone",
    widths: [360],
    async run({ page, context, url, pdf, look, check, record }) {
      await slow(page, context);
      const begun = performance.now();
      const rows = [];
      let taps = 0;
      /** Does what a person does at one step, and notes when that was done. */
      const at = async (what, tap, then) => {
        const before = performance.now();
        await tap();
        await then();
        rows.push({ what, seconds: (performance.now() - before) / 1000 });
      };
      const button = (name) => () => (taps++, page.getByRole("button", { name, exact: true }).first().tap());
      const link = (name) => () => (taps++, page.getByRole("link", { name, exact: true }).first().tap());
      const heading = (name) => () => page.getByRole("heading", { name, level: 1 }).waitFor();

      await at("the page opens", () => page.goto(url + "/"), () => page.getByLabel("Timetable PDFs").waitFor());
      await at("the PDF is chosen, sent and read", async () => {
        const chooser = page.waitForEvent("filechooser");
        taps += 2; // the button, and the file in the phone's own dialog
        await page.getByLabel("Timetable PDFs").tap();
        await (await chooser).setFiles(pdf("lectures"));
      }, () => page.getByRole("link", { name: "Look at your week" }).waitFor());
      await at("“Look at your week”", link("Look at your week"), heading("Your week"));
      await at("“Find me a timetable”", link("Find me a timetable"), heading("Choose your classes"));
      const best = page.getByRole("article", { name: "Timetable 1" });
      await at("“Find timetables”", button("Find timetables"), () => best.getByText("No clashes").waitFor());
      await at("“Use this one”", button("Use this one"), () => best.getByText("It is your week now.").waitFor());
      await at("“Take along”", link("Take along"), heading("Take it along"));
      const made = page.waitForResponse((answer) => answer.url().endsWith("/api/feeds") && answer.request().method() === "POST");
      const open = page.getByRole("link", { name: "Open in my calendar app" });
      await at("“Make my address”", button("Make my address"), () => open.waitFor());
      taps++; // and the calendar program asks whether to subscribe
      const clashes = (await (await made).json()).clashes ?? [];
      check(clashes.length === 0, `the calendar has ${clashes.length} clashes`);
      const address = await open.getAttribute("href");
      check(address.startsWith("webcal:"), `the calendar program would be sent to ${address}`);
      const calendar = await page.request.get(address.replace("webcal:", "http:"));
      check(calendar.ok() && (await calendar.text()).includes("BEGIN:VEVENT"), "the address gives no calendar");
      await look("first-visit");

      const machine = (performance.now() - begun) / 1000;
      check(taps <= 10, `it takes ${taps} taps`);
      record("The first visit, on a phone", [...rows, { what: `${taps} taps, ${thought} s each to read and to hit`, seconds: taps * thought }]);
      check(machine < 300, `the page and the server took ${machine} s of it`); // on a machine that many builds share
    },
  },
];
