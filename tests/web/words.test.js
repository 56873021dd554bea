import assert from "node:assert/strict";
import test from "node:test";
import { sentWords } from "../../fastlabel_gradio/ui/web/history_menu.js";
import { formatPercent, formatSeconds } from "../../fastlabel_gradio/ui/web/numbers.js";
import { scanWords, serverWords } from "../../fastlabel_gradio/ui/web/server_words.js";
import { describeEmpty, describeHead, mayHaveBatch } from "../../fastlabel_gradio/ui/web/status_text.js";
import { DICTIONARIES, phrase, pickLanguage, t, useLanguage } from "../../fastlabel_gradio/ui/web/words.js";
import { statusAnswer } from "./answers.js";

const { en, "zh-CN": zh } = DICTIONARIES;

test("both languages have the same words, with the same values in them, and none is empty", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  const values = (text) => new Set(text.match(/\{\w+\}/g)?.filter((name) => name !== "{n}"));
  for (const [word, text] of Object.entries(en)) {
    assert.ok(zh[word].trim() && text.trim(), word);
    assert.deepEqual(values(zh[word]), values(text), word);
  }
});

test("what is Chinese is written in Chinese, and what is English is not", () => {
  const same = Object.keys(en).filter((word) => en[word] === zh[word]);
  assert.deepEqual(same, []);
  assert.deepEqual(
    Object.keys(en).filter((word) => /\p{Script=Han}/u.test(en[word])),
    [],
  );
  assert.ok(
    Object.values(zh).every((text) => !text.includes("|")),
    "Chinese has one form for one and many",
  );
});

test("the address names the language, otherwise the browser's first that is there", () => {
  assert.equal(pickLanguage("zh", ["en-US"]), "zh-CN");
  assert.equal(pickLanguage(null, ["zh-TW", "en"]), "zh-CN");
  assert.equal(pickLanguage(null, ["de-DE", "zh-CN", "en"]), "zh-CN");
  assert.equal(pickLanguage("en", ["zh-CN"]), "en");
  assert.equal(pickLanguage("xx", ["fr"]), "en");
});

test("one and many are told apart, and counts have their commas", () => {
  assert.equal(t("submitted", { n: 1 }), "Submitted 1 label.");
  assert.equal(t("submitted", { n: 12345 }), "Submitted 12,345 labels.");
  useLanguage("zh-CN");
  assert.equal(t("submitted", { n: 1 }), "已提交 1 个标签。");
  useLanguage("en");
});

test("a value is put in as it is, whatever it holds", () => {
  assert.equal(t("you_are", { name: "{n} $& |" }), "you are {n} $& |");
});

test("nodes stand where the sentence of the language has them", () => {
  assert.deepEqual(phrase("labeled_count", { count: "N" }), ["N", " labeled"]);
  useLanguage("zh-CN");
  assert.deepEqual(phrase("labeled_count", { count: "N" }), ["已标注 ", "N"]);
  useLanguage("en");
});

test("a share is never rounded up to all, and times have the unit that fits", () => {
  assert.deepEqual([0.994, 0.999, 1].map(formatPercent), ["99 %", "99 %", "100 %"]);
  assert.deepEqual([1.26, 40, 600, 7200].map(formatSeconds), ["1.3 s", "40 s", "10 min", "2.0 h"]);
});

test("the head line says what is missing, or how it went", () => {
  const waiting = statusAnswer({ since_training: 4 });
  assert.equal(describeHead(waiting), "no head yet · 4 of 10 new labels until the next training");
  const failed = statusAnswer({ head: { version: 2, state: "failed", error: "no memory" } });
  assert.equal(describeHead(failed), "head v2 · training failed: no memory");
});

test("an empty page says why: done, busy looking for files, in other hands, or nothing there", () => {
  const title = (fields) => describeEmpty(statusAnswer(fields), "")[0];
  assert.equal(title({ labeled: 100, unlabeled: 0 }), "Every item is labeled");
  const aside = statusAnswer({ labeled: 95, unlabeled: 0, set_aside: { skip: 3, unsure: 1, bad: 1 } });
  assert.deepEqual(describeEmpty(aside, ""), [
    "Every item is labeled or was set aside",
    "95 pictures done. Export the labels or the trained head above. 5 were set aside: skipped, unsure or bad.",
  ]);
  assert.equal(title({ total: 0, unlabeled: 0 }), "No pictures");
  assert.equal(title({ claimed_by_others: 5 }), "Others are at work");
  assert.equal(title({ embedding: { state: "failed", error: "disk" } }), "Nothing to label yet");
  const looking = { embedding: { state: "starting", scanning: true, total: 1234 } };
  assert.match(describeEmpty(statusAnswer(looking), "")[1], /Looking for files: 1,234 found/);
});

test("a batch is asked for where something is embedded, unlabeled and free", () => {
  assert.equal(mayHaveBatch(statusAnswer()), true);
  assert.equal(mayHaveBatch(statusAnswer({ claimed_by_others: 100 })), false);
  assert.equal(mayHaveBatch(statusAnswer({ embedding: { state: "embedding", done: 0 } })), false);
  assert.equal(mayHaveBatch(statusAnswer({ embedding: { state: "embedding", done: 5 } })), true);
  const judged = { set_aside: { skip: 3, unsure: 1, bad: 1 }, unlabeled: 95 };
  assert.equal(mayHaveBatch(statusAnswer({ ...judged, embedding: { state: "embedding", done: 5 } })), false);
});

test("what the server says is said in the language of the page, with its values, also several sentences at once", () => {
  const english = "There is no trained head for 'margin' yet: 'representative' picked these.";
  const several = `Encoder 'offline' is used: expect lower accuracy than with CLIP, and no suggestions before the first labels. ${english}`;
  assert.equal(serverWords(several), several);
  useLanguage("zh-CN");
  assert.equal(serverWords(english), "“margin”还没有训练好的分类头：这些由“representative”选出。");
  assert.match(serverWords(several), /^使用编码器“offline”：准确率预计低于 CLIP，.*选出。$/);
  assert.equal(
    serverWords("there is a class 'a.* $& b' already. Choose another name."),
    "类别 'a.* $& b' 已存在。请换一个名称。",
  );
  const source =
    "The labels that the source knows contradict each other: 'a/b.jpg' is 'x', 'c.jpg' with the same content is 'y'";
  assert.equal(
    serverWords(`${source}, and so in 2 more. ${source}.`),
    "数据源的标签互相矛盾：“a/b.jpg”是“x”，内容相同的“c.jpg”是“y”，另有 2 处. 数据源的标签互相矛盾：“a/b.jpg”是“x”，内容相同的“c.jpg”是“y”.",
  );
  assert.match(serverWords("The class names give no first suggestions: no\nnetwork"), /：no\nnetwork$/);
  assert.equal(serverWords("What nobody translated."), "What nobody translated.");
  assert.equal(serverWords(undefined), "");
  assert.equal(scanWords("12 new items, 1 changed, 2 gone"), "新增 12, 更改 1, 移除 2");
  for (const [word, text] of Object.entries(en)) {
    if (word.startsWith("server_")) assert.doesNotMatch(serverWords(text), /[a-z]{4,} [a-z]{3,}/, word);
  }
  useLanguage("en");
});

test("a step that was sent is told by what it did", () => {
  const step = (fields) => sentWords({ items: 0, parts: [], edits: [], checks: 0, ...fields });
  assert.equal(step({ items: 3, parts: [{ label: "cat", items: 3 }] }), "submitted 3 labels: cat");
  const predicted = [
    { label: "cat", items: 20, predicted: true },
    { label: "dog", items: 12, predicted: true },
  ];
  assert.equal(step({ items: 32, parts: predicted }), "accepted 32 predictions");
  const mixed = [{ label: "owl", items: 1, predicted: false }, ...predicted];
  assert.equal(step({ items: 33, parts: mixed }), "submitted 33 labels");
  assert.equal(step({ checks: 2 }), "found 2 labels right");
  const edit = (kind, value, before = null) => step({ edits: [{ kind, label: "dog", value, before }] });
  assert.equal(edit("add", "dog"), "added the class dog");
  assert.equal(edit("merge", "pets", "puppy"), "merged puppy into pets");
  assert.equal(edit("rename", "dog", "hound"), "renamed hound to dog");
  assert.equal(edit("archive", false), "took the class dog back");
  assert.equal(edit("colour", "#ff0000"), "changed the class dog");
});

test("a name that turns text around ends where it stands", () => {
  useLanguage("en");
  const name = "\u202ecba";
  assert.equal(t("explore_do_label", { n: 2, name }), `Label 2 items as ${name}`); // nothing stands behind it
  const what = t("explore_do_label", { n: 2, name });
  assert.equal(t("explore_done", { what }), `\u2068Label 2 items as ${name}\u2069: done. u takes it back.`);
  assert.equal(t("explore_done", { what: "Label" }), "Label: done. u takes it back.");
});
