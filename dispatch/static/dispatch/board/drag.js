// Drag by mouse at once, by touch after a long press, so that scrolling wins. Escape puts the card back.

import Sortable from "../../npm/sortablejs/sortable.esm.js";

const CLICK_MS = 250;

/** What holds a card: one for the page. */
export class Hand {
  constructor(store, view) {
    Object.assign(this, { store, view });
    this.cancelled = false;
    this.dropped = 0;

    // Letting go of a card is no click on what it was held by.
    document.getElementById("columns").addEventListener("click", (event) => {
      if (Date.now() - this.dropped < CLICK_MS) event.stopImmediatePropagation();
    }, true);

    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !view.held) return;
      this.cancelled = true;
      document.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
    });
  }

  /**
   * Makes cards of a list go into the hand, and into the list from it.
   * @param {{started: (event: object) => void, dropped: (event: object) => () => void}} what  `dropped` looks where the card
   *   is, and gives what is to be done once the page is drawn as it was.
   */
  take(list, { started, dropped }) {
    Sortable.create(list, {
      group: "board",
      draggable: ".card",
      filter: ".move",
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
        this.cancelled = false;
        this.view.hold();
        started(event);
      },
      onEnd: (event) => {
        const go = dropped(event);
        const quick = flick(event.originalEvent, event.to.parentElement);
        const stayed = !quick && event.from === event.to && event.oldDraggableIndex === event.newDraggableIndex;
        this.dropped = Date.now();
        this.view.release();
        if (!stayed && !this.cancelled && this.store.cards.has(event.item.dataset.id)) go();
      },
    });
  }
}

export function makeDraggable(hand, store, view, moves, statuses) {
  const started = (event) => hint(statuses, store.cards.get(event.item.dataset.id)?.status);
  const dropped = (event) => {
    const { item, to } = event;
    const quick = flick(event.originalEvent, to.parentElement);
    const status = (quick?.column || to.parentElement).dataset.status;
    const beside = ofItsLane(store, view, item, status);
    const place = quick ? at(event.originalEvent, quick.column, beside) : neighbours(item, beside);
    hint(statuses, null);
    return () => moves.move(item.dataset.id, status, place);
  };
  for (const list of view.lists.values()) hand.take(list, { started, dropped });
}

/** Sortable looks only now and then where the card is. When it was let go over another column meanwhile, that one counts. */
export function flick(event, seen) {
  if (!event || event.clientX === undefined) return null;
  const column = document.elementFromPoint(event.clientX, event.clientY)?.closest(".column");
  return column && column !== seen ? { column } : null;
}

/** Which cards of a column a card can stand beside. Above and below its lane there is no place for it, wherever it is dropped. */
function ofItsLane(store, view, item, status) {
  const lane = (id) => store.cards.has(id) && view.laneOf(store.cards.get(id), status);
  const own = lane(item.dataset.id);
  return (element) => element.matches(".card") && element !== item && lane(element.dataset.id) === own;
}

/** The ids of the cards above and below a point. */
export function at(event, column, beside) {
  const cards = [...column.querySelectorAll(".card")].filter(beside);
  const below = cards.findIndex((card) => card.getBoundingClientRect().top > event.clientY);
  const place = below < 0 ? cards.length : below;
  return { after: cards[place - 1]?.dataset.id, before: cards[place]?.dataset.id };
}

/** The ids of the cards above and below, those of other lanes left out. */
export function neighbours(item, beside) {
  const next = (element, direction) => {
    let other = element[direction];
    while (other && !beside(other)) other = other[direction];
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
