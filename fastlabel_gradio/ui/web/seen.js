// Which cards a person had the time to look at: more than half of them in the window, above the dock, for 300 ms. Nobody
// confirms what nobody saw.

const LEAST_MS = 300;
const LEAST_SHARE = 0.5;

export class SeenWatch {
  /**
   * @param {(node: Element) => void} onSeen once for each
   * @param {() => boolean} isCovered something stands before the cards, or the window is hidden
   */
  constructor(onSeen, isCovered) {
    this.onSeen = onSeen;
    this.isCovered = isCovered;
    this.dockPx = 0;
    /** @type {Set<Element>} */
    this.nodes = new Set();
    /** @type {Map<Element, ReturnType<typeof setTimeout>>} */
    this.waiting = new Map();
  }

  /**
   * @param {Iterable<Element>} nodes in place of those that were watched
   * @param {number} dockPx what the dock covers of the window; by default as before
   */
  watch(nodes, dockPx = this.dockPx) {
    this.stop();
    this.nodes = new Set(nodes);
    this.dockPx = dockPx;
    const options = { root: document, rootMargin: `0px 0px ${-dockPx}px 0px`, threshold: LEAST_SHARE };
    this.observer = new IntersectionObserver((entries) => this.#onEntries(entries), options);
    for (const node of this.nodes) this.observer.observe(node);
  }

  /** @param {number} dockPx */
  setDock(dockPx) {
    if (dockPx !== this.dockPx) this.watch(this.nodes, dockPx);
  }

  stop() {
    this.observer?.disconnect();
    for (const timer of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onEntries(entries) {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(this.waiting.get(target));
      this.waiting.delete(target);
      if (intersectionRatio >= LEAST_SHARE) this.#wait(target);
    }
  }

  /** @param {Element} node */
  #wait(node) {
    this.waiting.set(
      node,
      setTimeout(() => (this.isCovered() ? this.#wait(node) : this.#tell(node)), LEAST_MS),
    );
  }

  /** @param {Element} node */
  #tell(node) {
    this.waiting.delete(node);
    this.observer?.unobserve(node);
    this.nodes.delete(node);
    this.onSeen(node);
  }
}
