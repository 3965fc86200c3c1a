import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { Confirm } from "./confirm";

afterEach(() => render(null, document.body));

const press = (name: string) => act(() => [...document.querySelectorAll("button")].find((b) => b.textContent === name)!.click());

test("a question that cannot be taken back begins at the safe answer, and Escape gives it", async () => {
  const confirmed = vi.fn();
  await act(() => render(<Confirm ask="Delete" question="Delete it all?" yes="Yes" no="No" danger confirmed={confirmed} />, document.body));
  await press("Delete");
  expect(document.activeElement?.textContent).toBe("No");
  await act(() => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
  expect(document.activeElement?.textContent).toBe("Delete");
  expect(confirmed).not.toHaveBeenCalled();
  await press("Delete");
  await press("Yes");
  expect(confirmed).toHaveBeenCalledTimes(1);
});
