/** The entry point of the page. */
import { render } from "preact";
import { Gate } from "./gate.tsx";

const root = document.getElementById("app");
if (root !== null) render(<Gate />, root);
