import { button, el, setShown, setText } from "./dom.js";

export function banner(className, tone, onDismiss) {
  const words = el("span", "");
  const close = onDismiss ? button("fl-dismiss", "✕") : null;
  close?.setAttribute("aria-label", "Dismiss");
  close?.addEventListener("click", onDismiss);
  const node = el("div", "fl-banner " + className, words, close);
  node.dataset.tone = tone;
  node.setAttribute("role", tone === "error" ? "alert" : "note");
  node.hidden = true;
  const self = { node, text: "" };
  self.say = (text) => {
    self.text = text;
    setText(words, text);
    setShown(node, text !== "");
  };
  return self;
}
