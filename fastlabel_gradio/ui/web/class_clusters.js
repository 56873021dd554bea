// Clusters of the pool, each with its most typical items, for who does not know the classes yet: a name labels what is shown.

import { button, el } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["ClusterAnswer"]} ClusterAnswer */

/**
 * @param {import("./api.js").Schemas["ClustersAnswer"]} found
 * @param {import("./api.js").ProjectApi} api
 * @param {(name: string, ids: string[]) => unknown} onName gets the items that the person left in
 */
export function buildClusters({ clusters, sample }, api, onName) {
  const title = el("h3", "", t("clusters"));
  const words = clusters.length ? `${t("clusters_how")} ${t("clusters_of", { n: sample })}` : t("clusters_none");
  const how = el("p", "fl-clusters-how", words);
  return [title, how, ...clusters.map((cluster) => buildCluster(cluster, api, onName))];
}

/**
 * @param {ClusterAnswer} cluster
 * @param {import("./api.js").ProjectApi} api
 * @param {(name: string, ids: string[]) => unknown} onName
 */
function buildCluster(cluster, api, onName) {
  const items = cluster.items.map((item) => buildItem(item, api));
  const name = el("input", "");
  name.maxLength = 255;
  name.placeholder = t("clusters_name");
  name.setAttribute("aria-label", t("clusters_name"));
  const form = el(
    "form",
    "fl-cluster",
    el("div", "fl-cluster-items", ...items),
    name,
    el("button", "fl-quiet", t("clusters_do")),
    el("span", "fl-cluster-size", t("clusters_like", { n: cluster.size })),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const members = items.filter((node) => node.getAttribute("aria-pressed") === "true").map((node) => node.title);
    if (name.value.trim() && members.length && (await onName(name.value, members))) form.remove();
  });
  return form;
}

/**
 * @param {ClusterAnswer["items"][number]} item
 * @param {import("./api.js").ProjectApi} api
 */
function buildItem(item, api) {
  const picture = el("img", "");
  picture.src = api.url(item.spectrogram_url ?? item.media_url);
  picture.alt = item.id;
  picture.loading = "lazy";
  const node = button("fl-cluster-item", "");
  node.title = item.id;
  node.append(picture);
  node.setAttribute("aria-pressed", "true");
  node.addEventListener("click", () => {
    node.setAttribute("aria-pressed", String(node.getAttribute("aria-pressed") !== "true"));
  });
  return node;
}
