import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { given } from "../state/given";
import { uploads } from "../state/store";
import { texts } from "../texts";
import { uploadTexts } from "../texts/upload";
import { Upload } from "./upload";

afterEach(() => {
  render(null, document.body);
  vi.doUnmock("../sample/sample");
  vi.resetModules();
  given({ uploads: [] });
});

const button = () => [...document.querySelectorAll("button")].find((one) => one.textContent === uploadTexts.sample);

test("the sample is added once, however often its button is pressed while it loads", async () => {
  await act(() => render(<Upload />, document.body));
  const pressed = button()!;
  await act(() => (pressed.click(), pressed.click(), pressed.click()));
  await vi.waitFor(() => expect(uploads.value).toHaveLength(1));
  await act(() => new Promise((done) => setTimeout(done)));
  expect(uploads.value).toHaveLength(1);
});

test("a sample that does not load says so", async () => {
  vi.doMock("../sample/sample", () => {
    throw new TypeError("Failed to fetch dynamically imported module");
  });
  sessionStorage.setItem("schedgen/reloaded", String(Date.now())); // so that it is not reloaded
  await act(() => render(<Upload />, document.body));
  await act(() => button()!.click());
  await vi.waitFor(() => expect(document.querySelector("[role=alert]")?.textContent).toContain(texts.error.unreachable));
});
