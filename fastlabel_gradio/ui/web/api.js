// The REST API of one project, as the page uses it. Nothing here knows the grid.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: no answer at all
  }
}

export class ProjectApi {
  constructor(project) {
    this.project = project;
    this.root = new URL(".", document.baseURI); // the page's own folder, also below a proxy's path
  }

  url(path, query) {
    const url = new URL(path, this.root);
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
    return url.href;
  }

  nextBatch(size, strategy, fresh) {
    return this.get("api/next_batch", { size, strategy, fresh });
  }

  status() {
    return this.get("api/status", {});
  }

  // Without a target, 0 to 1, the answer is about the project's own.
  evaluation(target) {
    return this.get("api/evaluation", target ? { target } : {});
  }

  submit(batchId, labels) {
    return this.post("api/submit_labels", { batch_id: batchId, labels });
  }

  undo() {
    return this.post("api/undo", {});
  }

  train() {
    return this.post("api/train", {});
  }

  rescan() {
    return this.post("api/rescan", {});
  }

  renew(batchId) {
    return this.post("api/renew", { batch_id: batchId });
  }

  exportUrl(format) {
    return this.url("api/export", { project: this.project, format });
  }

  checkpointUrl() {
    return this.url("api/checkpoint", { project: this.project });
  }

  get(path, query) {
    return request(this.url(path, { project: this.project, ...query }), {});
  }

  post(path, body) {
    return request(this.url(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ project: this.project, ...body }),
    });
  }
}

const REQUEST_LIMIT_MS = 60000;

async function request(url, options) {
  let response;
  try {
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    response = await fetch(url, { ...options, credentials: "same-origin", signal });
  } catch {
    throw new ApiError("No answer from the server.", 0);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(errorText(body, response), response.status);
  if (body === null) throw new ApiError("The server's answer could not be read.", 0);
  return body;
}

function errorText(body, response) {
  if (typeof body?.error === "string") return body.error;
  if (typeof body?.detail === "string") return body.detail;
  return "The server answered " + response.status + " " + response.statusText + ".";
}
