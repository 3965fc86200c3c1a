// The search, beside the page: whatever it takes, the page stays fluid.
import { type Question, search } from "../domain/search/search";

addEventListener("message", (message: MessageEvent<Question>) => postMessage(search(message.data)));
