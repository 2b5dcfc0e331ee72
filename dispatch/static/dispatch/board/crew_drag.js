// Drags cards between the lanes of the crews, and inside one.

import { at, flick, neighbours } from "./drag.js";

export class CrewDrag {
  /** @param {import("./drag.js").Hand} hand  @param {import("./crew_moves.js").CrewMoves} moves */
  constructor(hand, moves) {
    Object.assign(this, { hand, moves });
  }

  /** Makes a lane's list take cards. */
  take(list) {
    this.hand.take(list, { started: () => document.body.classList.add("dragging"), dropped: (event) => this.dropped(event) });
  }

  dropped(event) {
    document.body.classList.remove("dragging");
    const { item, to } = event;
    const quick = flick(event.originalEvent, to.parentElement);
    const lane = quick?.column || to.parentElement;
    const beside = (element) => element.matches(".card") && element !== item;
    const { before } = quick ? at(event.originalEvent, lane, beside) : neighbours(item, beside);
    const into = lane.dataset.event || null;
    return () => this.moves.put(item.dataset.id, into, into && (before ?? null));
  }
}
