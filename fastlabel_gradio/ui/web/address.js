// The page's address after `#`: which project, which view, and how that is open. Back and forward lead through it.

import { Emitter } from "./emitter.js";

/** @typedef {Record<string, string>} Params */

/**
 * `#view=label&evaluation=open` as an object.
 * @param {string} hash
 * @returns {Params}
 */
export function parseAddress(hash) {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
}

/**
 * The other way round; what is empty is left out, "" where nothing is left.
 * @param {Params} params
 */
export function formatAddress(params) {
  const text = new URLSearchParams(Object.entries(params).filter(([, value]) => value)).toString();
  return text && `#${text}`;
}

/** Emits `change` where the person went back, forward or to another address; not for what the page notes itself. */
export class Address extends Emitter {
  constructor() {
    super();
    this.#noted = location.hash;
    for (const type of ["popstate", "hashchange"]) window.addEventListener(type, () => this.#follow());
  }

  #noted;

  get params() {
    return parseAddress(location.hash);
  }

  /**
   * Notes a step of the person, so that back leads to where it was before.
   * @param {Params} params all of them
   */
  note(params) {
    const hash = formatAddress(params);
    if (hash === formatAddress(this.params)) return;
    history.pushState(null, "", hash || location.pathname + location.search);
    this.#noted = location.hash;
  }

  /**
   * Notes what is no step of the person, such as how far they scrolled: back does not lead there.
   * @param {Params} params all of them
   */
  keep(params) {
    const hash = formatAddress(params);
    if (hash === formatAddress(this.params)) return;
    history.replaceState(null, "", hash || location.pathname + location.search);
    this.#noted = location.hash;
  }

  // One step of the browser may be told twice, as popstate and as hashchange.
  #follow() {
    if (location.hash === this.#noted) return;
    this.#noted = location.hash;
    this.emit("change", this.params);
  }
}
