// Icons come from one file, dispatch/icons.svg; every icon on the page refers to it.

/** Shows another icon in a place that has one. */
export function setIcon(place, name) {
  const use = place.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}

/** A new icon, made after one that is on the page. */
export function icon(name) {
  const made = document.querySelector("svg.icon").cloneNode(true);
  setIcon(made, name);
  return made;
}
