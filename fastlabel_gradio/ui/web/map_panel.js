// The map beside the grid of the view `explore`: every item as a point, coloured; a part that is drawn around narrows the grid.

import { classNode } from "./class_colours.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { registerPanel } from "./explore_panels.js";
import { groupsOf, readMap, UNKNOWN_CONFIDENCE } from "./map_data.js";
import { loadPlotly, MapPlot } from "./map_plot.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./explore_panels.js").Exploring} Exploring */
/** @typedef {import("./map_data.js").MapData} MapData */
/** @typedef {import("./map_data.js").Colouring} Colouring */

const TOOLS = /** @type {const} */ ([
  ["lasso", "map_lasso", "map_lasso_title"],
  ["select", "map_select", "map_select_title"],
  ["move", "map_move", "map_move_title"],
]);
const COLOURINGS = /** @type {const} */ ([
  ["label", "map_by_label"],
  ["prediction", "map_by_prediction"],
  ["confidence", "map_by_confidence"],
  ["state", "map_by_state"],
]);
const GROUPS = /** @type {const} */ ({ none: "map_none", others: "map_others", unknown: "map_unknown" });
const WORKING_MS = 1500;
const RECOLOUR_MS = 400;

class MapPanel {
  /**
   * @param {HTMLElement} root
   * @param {Exploring} exploring
   */
  constructor(root, exploring) {
    this.exploring = exploring;
    this.isOpen = false;
    this.stopping = new AbortController();
    /** @type {MapData | null} */
    this.data = null;
    /** @type {MapPlot | null} */
    this.plot = null;
    this.layout = ""; // the one that the person chose
    this.asked = 0;
    /** @type {Colouring} */
    this.by = "label";
    this.tools = TOOLS.map(([tool, name, title]) => this.#toolButton(tool, t(name), t(title)));
    this.colours = menu(
      t("map_coloured_by"),
      COLOURINGS.map(([by, word]) => [by, t(word)]),
      (by) => this.#colour(by),
    );
    this.layouts = menu(
      t("map_layout"),
      [
        ["pca", t("map_pca")],
        ["neighbours", t("map_neighbours")],
      ],
      (layout) => {
        this.layout = layout;
        this.ask();
      },
    );
    const all = button("fl-quiet", t("map_show_all"));
    all.addEventListener("click", () => this.data && this.plot?.showAll(this.data));
    this.line = el("p", "fl-map-line");
    this.line.setAttribute("role", "status");
    this.picture = el("div", "fl-map-picture");
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", t("map_says"));
    this.card = el("div", "fl-map-card");
    setShown(this.card, false);
    this.legend = el("ul", "fl-map-legend");
    this.legend.tabIndex = 0; // many classes are scrolled through by key too
    this.legend.setAttribute("aria-label", t("map_coloured_by"));
    const bar = el("div", "fl-map-tools", ...this.tools, all, this.colours, this.layouts);
    root.classList.add("fl-map");
    root.append(bar, this.line, el("div", "fl-map-frame", this.picture, this.card), this.legend);
    exploring.on("changed", () => this.#askSoon());
    exploring.classColours.addEventListener("change", () => this.paint(), { signal: this.stopping.signal });
    exploring.on("query", () => this.plot?.showArea(this.#area()));
    this.sizes = new ResizeObserver(() => this.plot?.resize());
    this.sizes.observe(this.picture);
  }

  async show() {
    this.isOpen = true;
    setText(this.line, t("map_loading"));
    try {
      const { api, settings } = this.exploring;
      const [plotly] = await Promise.all([loadPlotly(api.url(settings.plotly)), this.ask()]);
      this.plot ??= new MapPlot(
        this.picture,
        plotly,
        (polygon) => this.#narrow(polygon),
        (...point) => this.#hover(...point),
      );
      await this.paint();
    } catch (error) {
      setText(this.line, t("map_failed", { reason: /** @type {Error} */ (error).message }));
    }
  }

  hide() {
    this.isOpen = false;
    clearTimeout(this.asking);
    setShown(this.card, false);
    this.#share([]);
  }

  stop() {
    this.hide();
    this.stopping.abort();
    this.sizes.disconnect();
    this.plot?.stop();
  }

  /** Asks for the points, and paints them where the picture is there. */
  async ask() {
    clearTimeout(this.asking);
    const number = ++this.asked;
    const { header } = this.data ?? {};
    /** @type {import("./api.js").Query} */
    const query = { project: this.exploring.settings.project };
    if (header) Object.assign(query, { since: header.version, points: header.points });
    if (this.layout) query.layout = this.layout;
    const url = this.exploring.api.url("api/map", query);
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      throw new Error(error ?? t("answered", { status: response.status }));
    }
    const answer = await response.arrayBuffer();
    if (number !== this.asked) return; // the person chose another layout meanwhile
    this.data = readMap(answer, this.data);
    if (this.plot) await this.paint();
    if (this.isOpen && this.data.header.neighbours === "running") this.#askSoon(WORKING_MS);
  }

  #askSoon(ms = RECOLOUR_MS) {
    clearTimeout(this.asking);
    const fail = (/** @type {Error} */ error) => setText(this.line, t("map_failed", { reason: error.message }));
    if (this.isOpen) this.asking = setTimeout(() => this.ask().catch(fail), ms);
  }

  async paint() {
    if (!this.data || !this.plot) return;
    const { header } = this.data;
    const words = (/** @type {"none" | "others" | "unknown"} */ word, n = 0) => t(GROUPS[word], { n });
    const stateName = (/** @type {string} */ state) => t(/** @type {any} */ (`explore_state_${state}`));
    const { classColours } = this.exploring;
    const groups = groupsOf(this.data, this.by, words, stateName, (name) => classColours.of(name));
    const rows = groups.map(({ name, colour, places }) => {
      const sign = el("span", "fl-map-sign");
      sign.style.background = colour;
      return el("li", "", sign, nameNode(name), el("span", "fl-map-count", formatCount(places.length)));
    });
    this.legend.replaceChildren(...rows);
    this.#share(groups);
    this.layouts.select.value = header.layout;
    for (const option of this.layouts.select.options) {
      option.disabled =
        option.value === "neighbours" && header.neighbours === "running" && header.layout !== "neighbours";
    }
    setText(this.line, this.#says(header));
    await this.plot.draw(this.data, groups, this.#area()); // after the legend and the line, which take of its height
    this.picture.dataset.points = String(header.points);
    this.picture.dataset.version = header.version;
  }

  /**
   * The view around the map marks the classes in the colours of their points.
   * @param {import("./map_data.js").MapGroup[]} groups
   */
  #share(groups) {
    const isOfClasses = this.isOpen && (this.by === "label" || this.by === "prediction");
    const classes = new Set(isOfClasses ? this.data?.header.classes : []);
    const drawn = groups.filter(({ name }) => classes.has(name));
    this.exploring.classColours.draw(drawn.map(({ name, colour }) => [name, colour]));
  }

  /** @param {import("./map_data.js").MapHeader} header */
  #says({ points, items, neighbours, done, problem }) {
    const part = points < items ? t("map_part", { n: points, all: items }) : t("map_items", { n: points });
    const work = neighbours === "running" ? t("map_working", { percent: Math.round(100 * done) }) : problem;
    return [part, work].filter(Boolean).join(" ");
  }

  /** @param {string} by */
  #colour(by) {
    this.by = /** @type {Colouring} */ (by);
    return this.paint();
  }

  #area() {
    const area = this.exploring.query().area;
    return area && area.map === this.data?.header.version ? /** @type {[number, number][]} */ (area.polygon) : null;
  }

  /** @param {[number, number][] | null} polygon */
  #narrow(polygon) {
    if (polygon && this.data) this.exploring.narrow({ area: { map: this.data.header.version, polygon } });
  }

  /**
   * @param {number | null} place
   * @param {{ x: number, y: number }} at
   */
  #hover(place, at) {
    setShown(this.card, place !== null);
    if (place === null || !this.data) return;
    const { data } = this;
    const { classes, states } = data.header;
    const picture = el("img", "fl-map-tile");
    picture.alt = "";
    picture.src = this.exploring.api.rowsUrl([data.rows[place]]);
    const label = data.labels[place] >= 0 ? classes[data.labels[place]] : "";
    const state = t(/** @type {any} */ (`explore_state_${states[data.states[place]]}`));
    const said = data.predicted[place] >= 0 ? classes[data.predicted[place]] : "";
    const confidence = data.confidences[place];
    const share = confidence === UNKNOWN_CONFIDENCE ? "" : ` ${Math.round((100 * confidence) / 254)} %`;
    const lines = [
      el("p", "", label ? classNode(label) : state),
      said && el("p", "fl-map-said", classNode(said), share),
    ];
    this.card.replaceChildren(picture, ...lines.filter((line) => line !== ""));
    const box = this.picture.getBoundingClientRect();
    const [x, y] = [at.x - box.left, at.y - box.top];
    this.card.style.left = `${Math.min(Math.max(x - 70, 0), Math.max(box.width - 140, 0))}px`;
    this.card.style.top = y > 190 ? `${y - 186}px` : `${y + 16}px`;
  }

  /**
   * @param {import("./map_plot.js").Tool} tool
   * @param {string} name
   * @param {string} title
   */
  #toolButton(tool, name, title) {
    const node = button("fl-quiet", name);
    node.title = title;
    node.dataset.tool = tool;
    node.setAttribute("aria-pressed", String(tool === "lasso"));
    node.addEventListener("click", () => {
      for (const one of this.tools) one.setAttribute("aria-pressed", String(one === node));
      this.plot?.use(tool);
    });
    return node;
  }
}

/**
 * @param {string} title
 * @param {[string, string][]} options value and words
 * @param {(value: string) => unknown} choose
 */
function menu(title, options, choose) {
  const select = el("select", "fl-map-menu", ...options.map(([value, words]) => new Option(words, value)));
  select.addEventListener("change", () => choose(select.value));
  const node = el("label", "fl-map-choice", `${title} `, select);
  return Object.assign(node, { select });
}

registerPanel({ name: "map", title: () => t("map"), mount: (root, exploring) => new MapPanel(root, exploring) });
