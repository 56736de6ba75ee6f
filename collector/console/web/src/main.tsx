// Where the page begins.
import { render } from "preact";
import { App } from "./app";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/views.css";

const place = document.getElementById("page");
if (place) render(<App />, place);
