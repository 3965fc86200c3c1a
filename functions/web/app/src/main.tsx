import "./style/base.css"; // before what is built on it
import "./style/parts.css";
import { render } from "preact";
import { App } from "./app";
import { registerWorker } from "./shell/worker";
import { resume } from "./upload/queue";

const root = document.getElementById("app");
if (root) render(<App />, root);
resume();
addEventListener("online", resume);
registerWorker();
