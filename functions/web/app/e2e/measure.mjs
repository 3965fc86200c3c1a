// Measures the first view under slow networks and on a slow processor, as docs/performance/web.md has it: PAGE_URL=http://localhost:8080
// node e2e/measure.mjs. Each profile is measured five times with an empty cache; the median is printed.
import { chromium } from "playwright-core";

const url = process.env.PAGE_URL ?? "http://localhost:8080";
const runs = 5;
/** Lighthouse's own names and numbers: bits a second down and up, round trip in ms, and how many times slower the processor is. */
const profiles = {
  "no limits": { down: -1, up: -1, trip: 0, cpu: 1 },
  "slow 4G, processor 4 times slower": { down: 1.6e6, up: 750e3, trip: 150, cpu: 4 },
  "slow 3G, processor 6 times slower": { down: 400e3, up: 400e3, trip: 400, cpu: 6 },
};

async function once(browser, { down, up, trip, cpu }) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, serviceWorkers: "block" });
  const page = await context.newPage();
  const debug = await context.newCDPSession(page);
  await debug.send("Network.enable");
  await debug.send("Network.emulateNetworkConditions", { offline: false, latency: trip, downloadThroughput: down / 8, uploadThroughput: up / 8 });
  await debug.send("Emulation.setCPUThrottlingRate", { rate: cpu });
  let bytes = 0, requests = 0;
  debug.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  debug.on("Network.responseReceived", () => requests++);
  const began = Date.now();
  await page.goto(url + "/", { waitUntil: "commit" });
  await page.getByRole("button", { name: "Try it with a sample" }).waitFor();
  const usable = Date.now() - began;
  await page.waitForLoadState("load");
  const { paint, shift, long } = await page.evaluate(
    () =>
      new Promise((done) => {
        const found = { paint: 0, shift: 0, long: 0 };
        const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
        observe("paint", (e) => e.name === "first-contentful-paint" && (found.paint = e.startTime));
        observe("layout-shift", (e) => (found.shift += e.value));
        observe("longtask", (e) => (found.long += Math.max(0, e.duration - 50)));
        setTimeout(() => done(found), 500);
      }),
  );
  await context.close();
  return { bytes, requests, paint, usable, shift, long };
}

const browser = await chromium.launch({ executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: false });
for (const [name, profile] of Object.entries(profiles)) {
  const all = [];
  for (let run = 0; run < runs; run++) all.push(await once(browser, profile));
  const median = (field) => all.map((one) => one[field]).sort((a, b) => a - b)[runs >> 1];
  console.log(`| ${name} | ${(median("bytes") / 1024).toFixed(1)} KiB | ${median("requests")} | ${Math.round(median("paint"))} ms | ${Math.round(median("usable"))} ms | ${Math.round(median("long"))} ms | ${median("shift")} |`);
}
await browser.close();
