export const formatCount = new Intl.NumberFormat("en-US").format;

export function plural(count, noun) {
  return formatCount(count) + " " + noun + (count === 1 ? "" : "s");
}

export function formatPercent(fraction) {
  const percent = Math.round(fraction * 100);
  return (fraction < 1 ? Math.min(percent, 99) : 100) + " %";
}

export function formatSeconds(seconds) {
  if (seconds < 10) return seconds.toFixed(1) + " s";
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}
