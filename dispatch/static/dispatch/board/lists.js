// Lists whose elements stay while what they show is the same: focus, scrolling and what is opened in them survive news.

const shown = new WeakMap(); // list → Map of entry as text → its element

/** Makes a list show entries in their order. `make(entry)` gives the element of one that was not there before. */
export function showList(list, entries, make) {
  const known = shown.get(list) || new Map();
  const now = new Map(entries.map((entry) => [JSON.stringify(entry), entry]));
  for (const [text, entry] of now) now.set(text, known.get(text) || make(entry));
  shown.set(list, now);
  arrange(list, [...now.values()]);
}

/**
 * Makes the children of a list the wanted ones. What is not wanted goes first, and of a pair that changed places only one is
 * moved: an element that is taken out and put back loses the focus and the click that has begun on it.
 */
export function arrange(list, wanted) {
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  let place = list.firstElementChild;
  for (const element of wanted) {
    if (place && place !== element && place.nextElementSibling === element) {
      place.remove(); // it comes later
      place = element;
    }
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
}

/** An element with a class and children, which are elements or text; "" and null leave no trace. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
  return made;
}
