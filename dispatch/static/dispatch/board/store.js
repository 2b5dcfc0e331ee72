// What the board knows: the last card of each job, and moves that are under way. Pure data, no page.

/**
 * @typedef {{id: string, seq: number, status: string, rank: number}} Card  more keys in dispatch/board.py
 * @typedef {{type: string, epoch: string, from?: number, to: number, jobs: Card[], counts?: Record<string, number>}} Frame
 */

export class Store {
  /** @param {{epoch: string, seq: number}} board  @param {Card[]} cards  @param {Record<string, number>} counts */
  constructor(board, cards, counts) {
    this.epoch = board.epoch;
    this.seq = board.seq;
    this.counts = counts;
    this.cards = new Map(cards.map((card) => [card.id, card]));
    this.pending = new Map(); // id → {status, rank}: where the card is shown while the server decides
  }

  /** Takes a delta or a snapshot in. Returns false when changes in between are missing: say hello again. */
  apply(frame) {
    if (frame.type === "snapshot") {
      this.replace(frame);
    } else if (frame.epoch !== this.epoch || frame.from > this.seq) {
      return false;
    } else {
      frame.jobs.forEach((card) => this.applyCard(card));
      if (frame.to >= this.seq) {
        this.seq = frame.to;
        this.counts = frame.counts || this.counts;
      }
    }
    return true;
  }

  /** A snapshot is everything the board shows; only what is newer here than the snapshot stays. */
  replace(frame) {
    const older = frame.epoch === this.epoch ? this.cards : new Map();
    this.cards = new Map(frame.jobs.map((card) => [card.id, card]));
    older.forEach((card, id) => {
      const known = this.cards.get(id);
      if (known ? card.seq > known.seq : card.seq > frame.to) this.cards.set(id, card);
    });
    if (frame.epoch !== this.epoch || frame.to >= this.seq) {
      this.seq = frame.to;
      this.counts = frame.counts || this.counts;
    }
    this.epoch = frame.epoch;
  }

  /** Keeps a card only if it is newer than the one that is here. */
  applyCard(card) {
    const known = this.cards.get(card.id);
    if (!known || card.seq > known.seq) this.cards.set(card.id, card);
  }

  /** A card as it is shown: with its move under way, if there is one. */
  shown(id) {
    const card = this.cards.get(id);
    return this.pending.has(id) ? { ...card, ...this.pending.get(id), saving: true } : card;
  }

  /** The cards of a column in order. */
  column(status) {
    const inColumn = [...this.cards.keys()].map((id) => this.shown(id)).filter((card) => card.status === status);
    return inColumn.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  }

  /** How many jobs a column has, those that it does not show included. */
  count(status) {
    let count = this.counts[status] || 0;
    this.pending.forEach((move, id) => {
      const from = this.cards.get(id).status;
      count += (move.status === status) - (from === status);
    });
    return count;
  }

  /** Shows a card between two others (ids, either may be missing) until `settle`. */
  expect(id, status, { before, after }) {
    const [upper, lower] = [this.shown(before)?.rank, this.shown(after)?.rank];
    const others = this.column(status).filter((card) => card.id !== id);
    const end = others.length ? others[others.length - 1].rank + 1 : 0;
    const rank = upper !== undefined && lower !== undefined ? (upper + lower) / 2 : (upper !== undefined ? upper - 1 : lower !== undefined ? lower + 1 : end);
    this.pending.set(id, { status, rank });
  }

  settle(id) {
    this.pending.delete(id);
  }
}
