// Drag by mouse at once, by touch after a long press, so that scrolling wins. Escape puts the card back.

import Sortable from "../../npm/sortablejs/sortable.esm.js";

export function makeDraggable(store, view, moves, statuses) {
  let cancelled = false;

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !view.held) return;
    cancelled = true;
    document.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  });

  for (const list of view.lists.values()) {
    Sortable.create(list, {
      group: "board",
      draggable: ".card",
      filter: "button",
      preventOnFilter: false,
      animation: 120,
      delay: 250,
      delayOnTouchOnly: true,
      touchStartThreshold: 5,
      fallbackTolerance: 4,
      forceFallback: true,
      fallbackOnBody: true,
      emptyInsertThreshold: 24,
      scroll: true,
      bubbleScroll: true,
      scrollSensitivity: 60,
      ghostClass: "ghost",
      fallbackClass: "lifted",
      onStart: (event) => {
        cancelled = false;
        view.hold();
        hint(statuses, store.cards.get(event.item.dataset.id)?.status);
      },
      onEnd: (event) => {
        const { item, to } = event;
        const status = to.parentElement.dataset.status;
        const place = neighbours(item);
        const stayed = event.from === to && event.oldDraggableIndex === event.newDraggableIndex;
        hint(statuses, null);
        view.release();
        if (!stayed && !cancelled && store.cards.has(item.dataset.id)) moves.move(item.dataset.id, status, place);
      },
    });
  }
}

/** The ids of the cards above and below, headings between them left out. */
function neighbours(item) {
  const next = (element, direction) => {
    let other = element[direction];
    while (other && !other.matches(".card")) other = other[direction];
    return other?.dataset.id;
  };
  return { after: next(item, "previousElementSibling"), before: next(item, "nextElementSibling") };
}

/** While a card is in the hand: which columns will not take it. The server decides; this only saves a try. */
function hint(statuses, from) {
  document.body.classList.toggle("dragging", from !== null);
  for (const column of document.querySelectorAll(".column")) {
    const allowed = !from || column.dataset.status === from || statuses[from].mayGoTo.includes(column.dataset.status);
    column.toggleAttribute("data-refuses", !allowed);
  }
}
