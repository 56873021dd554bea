"""The page that an invite's link opens, before anybody is known: nothing of the app's own page is open to it.

The token stands behind the # of the link, which browsers send to nobody: not in the request's line, which servers and
proxies log, and not as Referer. Previews of a link in a chat open nothing by it either. Its few words stand here in
both languages of the page, whose dictionaries are behind the login.
"""

INVITE_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>FastLabel</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1rem }
</style>
<p id="says" role="status"></p>
<noscript><p>This page needs JavaScript, and so does the one behind it. 此页面需要 JavaScript。</p></noscript>
<script>
  const WORDS = {
    en: {
      opening: "Opening …",
      not_whole: "This link is not whole. Open it exactly as it was sent to you.",
      expired: "This invite has expired or was revoked, or the link is not whole. Ask for a new one.",
      no_answer: "The app does not answer. Open the link again later.",
    },
    zh: {
      opening: "正在打开…",
      not_whole: "链接不完整。请按收到的原样打开。",
      expired: "此邀请已过期或已被撤销，或者链接不完整。请索取新的邀请。",
      no_answer: "应用没有响应。请稍后再打开此链接。",
    },
  };
  const EXPIRED = 403;
  const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? "en";
  const words = WORDS[language];
  const says = document.getElementById("says");
  document.documentElement.lang = language;
  say(words.opening);
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  enter();

  async function enter() {
    if (!token) return say(words.not_whole);
    try {
      const body = JSON.stringify({ token });
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("invite", { method: "POST", headers, body });
      if (answer.ok) location.replace("./");
      else say(answer.status === EXPIRED ? words.expired : (await answer.json()).error);
    } catch {
      say(words.no_answer);
    }
  }

  function say(text) {
    says.textContent = text;
  }
</script>
</html>
"""
