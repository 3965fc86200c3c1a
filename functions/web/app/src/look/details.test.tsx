import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { entryOf } from "../domain/random";
import { parseRoute, route } from "../router";
import { Details } from "./details";
import { opened } from "./view";

afterEach(() => render(null, document.body));

test("the way back leads out of the details, which are not open when the student returns", async () => {
  await act(() => render(<Details />, document.body));
  await act(() => void (opened.value = entryOf({})));
  expect(document.querySelector("dialog")).not.toBeNull();
  await act(() => void (route.value = parseRoute("#/look/days")));
  expect(document.querySelector("dialog")).toBeNull();
  await act(() => void (opened.value = entryOf({})));
  await act(() => render(null, document.body));
  expect(opened.value).toBeNull();
});
