"""The page that an invite's link opens, before anybody is known: nothing of the app's own page is open to it.

The token stands behind the # of the link, which browsers send to nobody: not in the request's line, which servers and
proxies log, and not as Referer. Previews of a link in a chat open nothing by it either.
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
<p id="says" role="status">Opening …</p>
<noscript><p>This page needs JavaScript, and so does the one behind it.</p></noscript>
<script>
  const says = document.getElementById("says");
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  enter();

  async function enter() {
    if (!token) return say("This link is not whole. Open it exactly as it was sent to you.");
    try {
      const body = JSON.stringify({ token });
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("invite", { method: "POST", headers, body });
      if (answer.ok) location.replace("./");
      else say((await answer.json()).error);
    } catch {
      say("The app does not answer. Open the link again later.");
    }
  }

  function say(text) {
    says.textContent = text;
  }
</script>
</html>
"""
