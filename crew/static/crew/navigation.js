// The way to a job. No map of ours: the phone has one, and `geo:` opens it without a network. iPhones do not know `geo:`, but
// `maps:`. Nobody else is told where the crew is going.

export function wayTo(place, platform = navigator.userAgent) {
  const query = encodeURIComponent(place);
  return /iPhone|iPad|iPod|Macintosh/.test(platform) ? `maps:?daddr=${query}` : `geo:0,0?q=${query}`;
}
