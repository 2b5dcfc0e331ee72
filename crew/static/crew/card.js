// The job in focus, as it comes onto the screen: another one begins at its top, where its address is. Otherwise its big
// button would lie where that of the last one was, below an address that nobody has seen.

const GAP = 6; // pixels
const place = document.getElementById("screen");
const card = () => place.querySelector(".job");
const heading = () => place.querySelector(".job h3");

/** Runs `work`, which may paint the screen. @param {() => void} work */
export function follow(work) {
  const before = card()?.dataset.job;
  const wasOnHeading = isOn(heading());
  work();
  const now = card()?.dataset.job;
  if (!now) return;
  if (before && before !== now) goTo();
  else if (!before) open();
  else if (wasOnHeading && !isOn(heading())) focus();
}

const isOn = (part) => Boolean(part) && document.activeElement === part;

function focus() {
  heading().tabIndex = -1;
  heading().focus({ preventScroll: true });
}

/** After what is said about the tap, which stands above the card. */
function goTo() {
  focus();
  requestAnimationFrame(toTop);
}

/** A screen is opened: where the button lies on something of the card, that is brought out from under it. */
function open() {
  requestAnimationFrame(() => {
    const next = card()?.querySelector(".next");
    if (!next) return; // there is no step to be made
    const last = next.previousElementSibling.getBoundingClientRect();
    if (last.bottom > next.getBoundingClientRect().top) toTop();
  });
}

/** Below the bar and what is said there. At once, not smoothly: a second tap would find what is passing by. */
export function toTop() {
  const above = document.querySelector(".notice") ?? document.getElementById("bar");
  const top = card()?.getBoundingClientRect().top - above.getBoundingClientRect().bottom - GAP;
  if (top) scrollBy({ top, behavior: "instant" });
}
