import { expect, test, vi } from "vitest";
import { copyAtOnce } from "./copy";

test("a copy that must be there before another window opens does not wait for the clipboard", () => {
  const field = document.createElement("input");
  field.value = "https://schedgen.example.org/f/1.ics";
  document.body.append(field);
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  let copied = "";
  document.execCommand = () => {
    copied = field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0);
    return true;
  };
  copyAtOnce(field);
  expect([copied, document.activeElement, writeText.mock.calls.length]).toEqual([field.value, field, 0]);
  document.execCommand = () => false; // a browser that has only the new way
  copyAtOnce(field);
  expect(writeText).toHaveBeenCalledWith(field.value);
  vi.unstubAllGlobals();
});
