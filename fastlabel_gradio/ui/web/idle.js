// Work that can wait until the page has nothing else to do.

/** @typedef {{ timeRemaining: () => number }} Moment milliseconds that are left of an idle moment */

const LEAST_LEFT_MS = 3; // for one more
const MOMENT_MS = 10; // and a pause of as many where the browser does not tell when it is idle (Safari)

/**
 * Does it to one after the other while the page is idle.
 * @template T
 * @param {T[]} things
 * @param {(thing: T) => void} work
 * @returns {() => void} leaves those that are not done
 */
export function eachWhenIdle(things, work) {
  const next = globalThis.requestIdleCallback ?? aMoment;
  let done = 0;
  const go = (/** @type {Moment} */ moment) => {
    while (done < things.length && moment.timeRemaining() > LEAST_LEFT_MS) work(things[done++]);
    if (done < things.length) next(go);
  };
  next(go);
  return () => {
    done = things.length;
  };
}

/** @param {(moment: Moment) => void} go */
function aMoment(go) {
  setTimeout(() => {
    const end = performance.now() + MOMENT_MS;
    go({ timeRemaining: () => end - performance.now() });
  }, MOMENT_MS);
}
