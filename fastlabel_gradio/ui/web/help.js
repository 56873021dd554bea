import { button, el } from "./dom.js";
import { KEY_HELP } from "./keys.js";

export function buildHelp(kind) {
  const lines = KEY_HELP.filter(([, , only]) => !only || only === kind);
  const rows = lines.map(([keys, meaning]) => el("tr", "", el("th", "", keyCaps(keys)), el("td", "", meaning)));
  const close = button("fl-quiet", "Close", "close-help", "Esc");
  const title = el("h2", "fl-help-title", "Keys");
  const click = { image: "on a picture moves there", audio: "on a spectrogram plays from there" }[kind];
  const note = el("p", "fl-help-note", "A click " + click + ", a click on a suggestion accepts it.");
  const help = el("dialog", "fl-help", title, el("table", "", el("tbody", "", ...rows)), note, close);
  help.setAttribute("aria-label", "Keys");
  help.addEventListener("click", (event) => event.target === help && help.close());
  help.addEventListener("keydown", (event) => {
    if (event.key !== "?") return;
    help.close();
    event.preventDefault(); // or the page's own handler, finding it closed, opens it again
  });
  return help;
}

function keyCaps(keys) {
  const caps = el("span", "fl-keycaps");
  const isBetween = (part) => /^( \+ |, | |…)$/.test(part);
  for (const part of keys.split(/( \+ |, | )/)) caps.append(isBetween(part) ? part : el("kbd", "fl-key", part));
  return caps;
}
