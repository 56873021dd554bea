// Tells whoever listens what happened. Not EventTarget: its events carry no detail in every engine that runs the tests.

export class Emitter {
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #handlers = new Map();

  /**
   * @param {string} type
   * @param {(detail: any) => void} handler
   */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
  }

  /**
   * @param {string} type
   * @param {any} [detail]
   */
  emit(type, detail) {
    for (const handler of this.#handlers.get(type) ?? []) handler(detail);
  }
}
