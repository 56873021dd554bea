// Without a login, an annotator is a random id in a cookie, so that a reload and a second tab are the same person.

export function ensureAnnotatorCookie() {
  if (/(^|; )fastlabel_annotator=/.test(document.cookie)) return;
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const random = crypto.getRandomValues(new Uint8Array(8));
  const id = `guest-${Array.from(random, (byte) => letters[byte % letters.length]).join("")}`;
  // Inside another site's frame (a Space on its page) a browser keeps no Lax cookie.
  const framed = location.protocol === "https:" && window.self !== window.top;
  const site = framed ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store
  document.cookie = `fastlabel_annotator=${id}; path=/; max-age=31536000; ${site}`;
}
