// The REST API of one project, as the page uses it. Nothing here knows the grid. The shapes come from the OpenAPI.

import { serverWords } from "./server_words.js";
import { t } from "./words.js";

/** @typedef {import("../../../tests/web/openapi").components["schemas"]} Schemas */
/** @typedef {Schemas["BatchAnswer"]} BatchAnswer */
/** @typedef {Schemas["ItemAnswer"]} ItemAnswer */
/** @typedef {Schemas["StatusAnswer"]} StatusAnswer */
/** @typedef {Schemas["EvaluationAnswer"]} EvaluationAnswer */
/** @typedef {Schemas["PointAnswer"]} PointAnswer */
/** @typedef {Schemas["EncodersAnswer"]} EncodersAnswer */
/** @typedef {Schemas["EncoderRowAnswer"]} EncoderRowAnswer */
/** @typedef {Schemas["PlanAnswer"]} PlanAnswer */
/** @typedef {Schemas["FinishAnswer"]} FinishAnswer */
/** @typedef {Schemas["ClassesAnswer"]} ClassesAnswer */
/** @typedef {Schemas["ClassAnswer"]} ClassAnswer */
/** @typedef {Schemas["StepAnswer"]} StepAnswer */
/** @typedef {Schemas["SentAnswer"]} SentAnswer */
/** @typedef {Schemas["ImportAnswer"]} ImportAnswer */
/** @typedef {Record<string, string | number | boolean>} Query */

const REQUEST_LIMIT_MS = 60000;
const IMPORT_LIMIT_MS = 900000; // a million labels take minutes

const MOST_NAME = 64; // characters of a file's name that are sent

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: no answer at all
   * @param {any} body of the answer, where it was JSON
   */
  constructor(message, status, body = null) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

export class ProjectApi {
  /**
   * @param {string} project
   * @param {string} page its address: the API lies beside it, also below a proxy's path
   */
  constructor(project, page = document.baseURI) {
    this.project = project;
    this.root = new URL(".", page);
    this.goesOn = false; // past the labels that are asked of one person
  }

  /**
   * @param {string} path
   * @param {Query} query
   */
  url(path, query = {}) {
    const url = new URL(path, this.root);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
    return url.href;
  }

  /**
   * @param {number} size
   * @param {string} strategy
   * @param {boolean} fresh
   * @returns {Promise<BatchAnswer>}
   */
  nextBatch(size, strategy, fresh) {
    return this.get("api/next_batch", { size, strategy, fresh, ...(this.goesOn && { go_on: true }) });
  }

  /**
   * The batch that comes after an open one, claimed ahead.
   * @param {string} after its id
   * @param {number} size
   * @param {string} strategy
   * @param {boolean} fresh another one than was claimed before
   * @returns {Promise<BatchAnswer>}
   */
  batchAfter(after, size, strategy, fresh) {
    return this.get("api/next_batch", { size, strategy, fresh, after, ...(this.goesOn && { go_on: true }) });
  }

  /** @returns {Promise<StatusAnswer>} */
  status() {
    return this.get("api/status");
  }

  /**
   * Without a target, 0 to 1, the answer is about the project's own.
   * @param {number | null} target
   * @returns {Promise<EvaluationAnswer>}
   */
  evaluation(target) {
    return this.get("api/evaluation", target ? { target } : {});
  }

  /** @returns {Promise<Schemas["EncodersAskedAnswer"]>} */
  compareEncoders() {
    return this.post("api/encoders/compare", {});
  }

  /** @returns {Promise<EncodersAnswer>} */
  comparedEncoders() {
    return this.get("api/encoders/compare");
  }

  /**
   * @param {string} batchId
   * @param {Partial<Schemas["LabelInput"]>[]} labels
   * @returns {Promise<Schemas["SubmitAnswer"]>}
   */
  submit(batchId, labels) {
    return this.post("api/submit_labels", { batch_id: batchId, labels });
  }

  /**
   * Gives a label or a state to all items of a query, or clears them; or accepts predictions, which name their items. Without
   * `preview` it is one step of the history.
   * @param {{
   *   query?: Record<string, unknown>, label?: string, state?: "skip" | "unsure" | "bad", exclude?: string[],
   *   accepted?: { id: string, label: string, confidence: number }[], preview?: boolean, seen?: number,
   * }} what
   * @returns {Promise<Schemas["ApplyAnswer"]>} an ApiError of status 409 has the `conflicts` in its `body`
   */
  apply(what) {
    return this.post("api/apply", what);
  }

  /** @returns {Promise<Schemas["UndoAnswer"]>} */
  undo() {
    return this.post("api/undo", {});
  }

  /** @returns {Promise<Schemas["RedoAnswer"]>} */
  redo() {
    return this.post("api/redo", {});
  }

  /**
   * The caller's newest steps.
   * @returns {Promise<Schemas["HistoryAnswer"]>}
   */
  history(size = 20) {
    return this.get("api/history", { size });
  }

  /** @returns {Promise<ClassesAnswer>} */
  classes() {
    return this.get("api/classes");
  }

  /** @returns {Promise<Schemas["ClustersAnswer"]>} */
  clusters() {
    return this.get("api/clusters");
  }

  /**
   * One change: `{ add }`, `{ rename: [old, new] }`, `{ merge: [part, into] }`, `{ archive }`, `{ restore }`, `{ order: names }`
   * or `{ set: { name, colour, key, description, examples } }`.
   * @param {Record<string, unknown>} change
   * @returns {Promise<ClassesAnswer>}
   */
  changeClasses(change) {
    return this.post("api/classes", change);
  }

  /** @returns {Promise<Schemas["TrainAnswer"]>} */
  train() {
    return this.post("api/train", {});
  }

  /** @returns {Promise<Schemas["RescanAnswer"]>} */
  rescan() {
    return this.post("api/rescan", {});
  }

  /**
   * @param {string} batchId
   * @returns {Promise<Schemas["RenewAnswer"]>}
   */
  renew(batchId) {
    return this.post("api/renew", { batch_id: batchId });
  }

  /**
   * @param {Record<string, unknown>} body
   * @returns {Promise<Schemas["ItemsAnswer"]>}
   */
  items(body) {
    return this.post("api/items", body);
  }

  /**
   * @param {import("./explore_filter.js").Query} query
   * @returns {Promise<Schemas["FacetsAnswer"]>}
   */
  counts(query) {
    return this.post("api/items/counts", { query });
  }

  /**
   * @param {import("./explore_filter.js").Query} query
   * @param {number} size
   * @returns {Promise<Schemas["ClaimAnswer"]>}
   */
  claim(query, size) {
    return this.post("api/items/claim", { query, size });
  }

  /**
   * @param {Blob} file a picture or sound
   * @returns {Promise<Schemas["VectorAnswer"]>}
   */
  vector(file) {
    const headers = { "Content-Type": "application/octet-stream" };
    return request(this.url("api/vector", { project: this.project }), { method: "POST", headers, body: file });
  }

  /**
   * @param {File} file a picture or sound
   * @returns {Promise<SentAnswer>} what the newest head says of it
   */
  predictMedia(file) {
    const headers = { "Content-Type": "application/octet-stream" };
    return request(this.url("api/predict/media", { project: this.project }), { method: "POST", headers, body: file });
  }

  /**
   * @param {File} file a picture or sound, which becomes an item of the pool
   * @returns {Promise<Schemas["TakenAnswer"]>}
   */
  takeMedia(file) {
    const headers = { "Content-Type": "application/octet-stream" };
    const query = { project: this.project, name: file.name.slice(-MOST_NAME) };
    return request(this.url("api/predict/take", query), { method: "POST", headers, body: file });
  }

  modelUrl() {
    return this.url("api/model", { project: this.project });
  }

  /** @returns {Promise<Schemas["FiltersAnswer"]>} */
  filters() {
    return this.get("api/filters");
  }

  /**
   * @param {string} name
   * @param {import("./explore_filter.js").Query | null} query null drops it
   * @returns {Promise<Schemas["FiltersAnswer"]>}
   */
  saveFilter(name, query) {
    return this.post("api/filters", { name, query });
  }

  /** @param {number[]} rows of the pool */
  rowsUrl(rows, fill = false) {
    const loaded = Math.round(performance.timeOrigin); // another folder may have been shown at this address before
    return this.url(`media/${this.project}/rows/${rows.join(",")}.jpg`, fill ? { loaded, fill } : { loaded });
  }

  /**
   * With all that is known of each label, so that it can be taken in again as it was.
   * @param {string} format
   * @param {Query} chosen further options: which labels, of which items
   */
  exportUrl(format, chosen = {}) {
    return this.url("api/export", { project: this.project, format, evidence: true, ...chosen });
  }

  /**
   * @param {string} format
   * @param {Query} chosen as of `exportUrl`
   * @returns {Promise<Schemas["ExportAnswer"]>}
   */
  prepareExport(format, chosen = {}) {
    return request(this.exportUrl(format, chosen), { method: "POST" });
  }

  /**
   * @param {string} id
   * @returns {Promise<Schemas["ExportAnswer"]>}
   */
  preparedExport(id) {
    return request(this.url(`api/export/${id}`), {});
  }

  /**
   * @param {File} file
   * @param {string} kind
   * @returns {Promise<ImportAnswer>}
   */
  importFile(file, kind) {
    const url = this.url("api/import", { project: this.project, as: kind, name: file.name });
    return request(url, { method: "POST", body: file }, IMPORT_LIMIT_MS);
  }

  /** @returns {Promise<Schemas["ImportProgressAnswer"]>} */
  importProgress() {
    return request(this.url("api/import", { project: this.project }), {});
  }

  /**
   * @param {string} id
   * @returns {Promise<Schemas["TakeBackAnswer"]>}
   */
  takeBackImport(id) {
    return this.post("api/import/take_back", { id });
  }

  checkpointUrl() {
    return this.url("api/checkpoint", { project: this.project });
  }

  /**
   * @param {string} path
   * @param {Query} query
   */
  get(path, query = {}) {
    return request(this.url(path, { project: this.project, ...query }), {});
  }

  /**
   * @param {string} path
   * @param {Record<string, unknown>} body
   */
  post(path, body) {
    return request(this.url(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ project: this.project, ...body }),
    });
  }
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<any>}
 */
async function request(url, options, limitMs = REQUEST_LIMIT_MS) {
  let response;
  try {
    const signal = AbortSignal.timeout(limitMs);
    response = await fetch(url, { ...options, credentials: "same-origin", signal });
  } catch {
    throw new ApiError(t("no_answer"), 0);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(errorText(body, response), response.status, body);
  if (body === null) throw new ApiError(t("unreadable_answer"), 0);
  return body;
}

/**
 * @param {any} body
 * @param {Response} response
 */
function errorText(body, response) {
  if (typeof body?.error === "string") return serverWords(body.error);
  if (typeof body?.detail === "string") return serverWords(body.detail);
  return t("answered", { status: `${response.status} ${response.statusText}` });
}
