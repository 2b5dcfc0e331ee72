// Drag by mouse at once, by touch after a long press, so that scrolling wins.

import Sortable from "../../npm/sortablejs/sortable.esm.js";

export function makeDraggable(store, view, moves, statuses) {
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
      ghostClass: "ghost",
      fallbackClass: "lifted",
      onStart: (event) => {
        view.hold();
        hint(statuses, store.cards.get(event.item.dataset.id)?.status);
      },
      onEnd: (event) => {
        hint(statuses, null);
        const { item, to } = event;
        const id = item.dataset.id;
        const status = to.parentElement.dataset.status;
        const place = { after: item.previousElementSibling?.dataset.id, before: item.nextElementSibling?.dataset.id };
        const stayed = event.from === to && event.oldIndex === event.newIndex;
        view.release();
        if (!stayed && store.cards.has(id)) moves.move(id, status, place);
      },
    });
  }
}

/** While a card is in the hand: which columns will not take it. The server decides; this only saves a try. */
function hint(statuses, from) {
  document.body.classList.toggle("dragging", from !== null);
  for (const column of document.querySelectorAll(".column")) {
    const allowed = !from || column.dataset.status === from || statuses[from].mayGoTo.includes(column.dataset.status);
    column.toggleAttribute("data-refuses", !allowed);
  }
}
