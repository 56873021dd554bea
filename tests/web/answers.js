// Answers of REST as tests need them: whole ones, with the fields that a test names.

/** A batch of so many items of three classes; every second one has a suggestion. */
export function batchAnswer(count = 6, fields = {}) {
  const items = Array.from({ length: count }, (_, index) => ({
    id: `${index}.png`,
    media_url: `media/images/item/${index}`,
    spectrogram_url: null,
    duration_s: null,
    peak_dbfs: null,
    gain_db: 0,
    note: "",
    start_s: 0,
    group: null,
    prediction: index % 2 ? { label: "b", index: 1, confidence: 0.9, runners_up: [2, 0] } : null,
    label: null,
  }));
  return {
    project: "images",
    kind: "image",
    batch_id: "first",
    strategy: "auto",
    head_version: 0,
    notice: "",
    sheet_url: "media/images/sheet/first.jpg",
    columns: 10,
    classes: ["a", "b", "c"],
    items,
    labeled: 0,
    unlabeled: 100,
    at_limit: false,
    ...fields,
  };
}

/** The status of a pool of 100 items, all embedded, none labeled. */
export function statusAnswer({ embedding = {}, head = {}, ...fields } = {}) {
  return {
    kind: "image",
    annotator: "ann",
    classes: ["a", "b", "c"],
    renamed: {},
    class_keys: {},
    class_colours: {},
    labeled: 0,
    unlabeled: 100,
    total: 100,
    set_aside: { skip: 0, unsure: 0, bad: 0 },
    claimed_by_others: 0,
    second_opinions: { share: 0, given: 0, waiting: 0, for_annotator: 0 },
    batches: ["first", "second", "third", "again"],
    taken_back: [],
    since_training: 0,
    train_every: 10,
    notice: "",
    known_labels: false,
    embedding: {
      state: "done",
      done: 100,
      total: 100,
      scanning: false,
      rate_per_s: 0,
      eta_s: null,
      encoder: "offline",
      notice: "",
      error: "",
      shortage: "",
      rescanning: false,
      scans: 1,
      scan_changes: "",
      scan_notice: "",
      change: null,
      ...embedding,
    },
    head: { version: 0, labels: 0, seconds: 0, settled: true, state: "idle", message: "", error: "", ...head },
    ...fields,
  };
}
