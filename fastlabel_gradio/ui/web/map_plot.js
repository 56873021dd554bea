// The picture of a map: Plotly's scattergl with few and simple parts. Moves and zooms by itself: while it moves only a random
// part of the points is drawn, which come in random order; Plotly's own way of moving draws them all every time.

import { boxOf, coordinates, extent, polygonOf, turned } from "./map_data.js";

/** @typedef {import("./map_data.js").MapData} MapData */
/** @typedef {import("./map_data.js").MapGroup} MapGroup */
/** @typedef {import("./map_data.js").Corner} Corner */
/** @typedef {"lasso" | "select" | "move"} Tool */

const REST_MS = 250;
const ZOOM_PER_PX = 0.0015;
const SMALL = 5000; // points up to which each is drawn larger

/** @type {Promise<any> | undefined} */
let loading;

/**
 * Plotly, loaded when it is first needed.
 * @param {string} url
 * @returns {Promise<any>}
 */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => {
      loading = undefined;
      reject(new Error(url));
    };
    document.head.append(script);
  });
  return loading;
}

export class MapPlot {
  /**
   * @param {HTMLElement} node
   * @param {any} plotly
   * @param {(polygon: Corner[] | null) => void} onArea null: none any more
   * @param {(place: number | null, at: { x: number, y: number }) => void} onHover
   */
  constructor(node, plotly, onArea, onHover) {
    this.node = node;
    this.plotly = plotly;
    this.onArea = onArea;
    this.onHover = onHover;
    /** @type {Tool} */
    this.tool = "lasso";
    /** @type {number[][]} the places of the points of each trace */
    this.places = [];
    /** @type {number[]} traces that are not drawn while the map moves */
    this.heavy = [];
    this.version = "";
    this.isMoving = false;
    /** @type {number | undefined} a picture that is asked for */
    this.framed = undefined;
    /** @type {[number, number][]} */
    this.ranges = [];
    node.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    node.addEventListener("pointerdown", (event) => this.#press(event));
  }

  /**
   * @param {MapData} data
   * @param {MapGroup[]} groups
   * @param {Corner[] | null} area
   */
  async draw(data, groups, area) {
    if (this.version !== data.header.version) {
      this.version = data.header.version;
      this.ranges = extent(data);
    }
    this.places = [];
    this.heavy = [];
    const size = data.header.points <= SMALL ? 5 : 3;
    const traces = groups.flatMap((group) =>
      coordinates(data, group.places).flatMap((part, number) => {
        if (!part.places.length) return [];
        if (number) this.heavy.push(this.places.length);
        this.places.push(part.places);
        const marker = { color: group.colour, size, opacity: 0.8 };
        return [
          { type: "scattergl", mode: "markers", x: part.x, y: part.y, marker, hoverinfo: "none", name: group.name },
        ];
      }),
    );
    this.traces = traces;
    await this.plotly.react(this.node, traces, this.#layout(area), {
      displayModeBar: false,
      responsive: true,
      doubleClick: false,
    });
    if (!this.isHeard) this.#listen();
  }

  /** @param {Corner[] | null} area */
  #layout(area) {
    const axis = { visible: false, fixedrange: true, showgrid: false, zeroline: false };
    const [x, y] = this.ranges;
    return {
      xaxis: { ...axis, range: x },
      yaxis: { ...axis, range: y },
      margin: { l: 0, r: 0, t: 0, b: 0 },
      dragmode: this.tool === "move" ? false : this.tool,
      hovermode: "closest",
      hoverdistance: 12,
      showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      shapes: area ? [areaShape(area)] : [],
      selections: [],
      newselection: { line: { color: "#2563eb", width: 2 } },
    };
  }

  #listen() {
    this.isHeard = true;
    const node = /** @type {any} */ (this.node);
    node.on("plotly_selected", (/** @type {any} */ event) => this.#selected(event));
    node.on("plotly_hover", (/** @type {any} */ { points: [point], event }) =>
      this.onHover(this.places[point.curveNumber][point.pointNumber], { x: event.clientX, y: event.clientY }),
    );
    node.on("plotly_unhover", () => this.onHover(null, { x: 0, y: 0 }));
  }

  /** @param {any} event */
  #selected(event) {
    if (!event) return;
    const { lassoPoints: line, range } = event;
    const polygon = line ? polygonOf(line.x, line.y) : range ? boxOf(range.x, range.y) : [];
    if (polygon.length >= 3) this.onArea(polygon);
  }

  /** @param {Tool} tool */
  use(tool) {
    this.tool = tool;
    return this.plotly.relayout(this.node, { dragmode: tool === "move" ? false : tool });
  }

  /** @param {Corner[] | null} area */
  showArea(area) {
    if (!this.traces) return;
    // Points outside of a selection are paled by Plotly itself: what is found is the grid's affair.
    const all = this.traces.map((_, number) => number);
    this.plotly.update(
      this.node,
      { selectedpoints: null },
      { shapes: area ? [areaShape(area)] : [], selections: [] },
      all,
    );
  }

  resize() {
    if (this.traces) this.plotly.Plots.resize(this.node);
  }

  // Moving and zooming

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.traces) return;
    event.preventDefault();
    const box = this.node.getBoundingClientRect();
    const factor = Math.exp(event.deltaY * ZOOM_PER_PX);
    this.#turn(0, 0, factor, (event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    this.#restSoon();
  }

  /** @param {PointerEvent} start */
  #press(start) {
    if (this.tool !== "move" || !this.traces || start.button) return;
    const box = this.node.getBoundingClientRect();
    let [x, y] = [start.clientX, start.clientY];
    const ending = new AbortController();
    const move = (/** @type {PointerEvent} */ event) => {
      this.#turn((x - event.clientX) / box.width, (event.clientY - y) / box.height, 1, 0, 0);
      [x, y] = [event.clientX, event.clientY];
    };
    const stop = () => {
      ending.abort();
      this.#restSoon();
    };
    window.addEventListener("pointermove", move, { signal: ending.signal });
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, stop, { signal: ending.signal });
  }

  /**
   * @param {number} right
   * @param {number} up
   * @param {number} factor
   * @param {number} atX
   * @param {number} atY
   */
  #turn(right, up, factor, atX, atY) {
    this.ranges = [turned(this.ranges[0], right, factor, atX), turned(this.ranges[1], up, factor, atY)];
    if (!this.isMoving) {
      this.isMoving = true;
      this.node.dataset.moving = "true";
      if (this.heavy.length) this.plotly.restyle(this.node, { visible: false }, this.heavy);
    }
    this.framed ??= requestAnimationFrame(() => {
      this.framed = undefined;
      this.#showRanges();
    });
  }

  #showRanges() {
    return this.plotly.relayout(this.node, { "xaxis.range": this.ranges[0], "yaxis.range": this.ranges[1] });
  }

  #restSoon() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.#rest(), REST_MS);
  }

  async #rest() {
    this.isMoving = false;
    await this.#showRanges();
    if (this.heavy.length) await this.plotly.restyle(this.node, { visible: true }, this.heavy);
    this.node.dataset.moving = "false";
  }

  /** All of it again. @param {MapData} data */
  showAll(data) {
    this.ranges = extent(data);
    return this.#showRanges();
  }

  stop() {
    clearTimeout(this.resting);
    if (this.traces) this.plotly.purge(this.node);
  }
}

/** @param {Corner[]} corners */
function areaShape(corners) {
  const path = `M${corners.map((corner) => corner.join(",")).join("L")}Z`;
  return { type: "path", path, line: { color: "#2563eb", width: 2 }, fillcolor: "rgba(37,99,235,0.08)" };
}
