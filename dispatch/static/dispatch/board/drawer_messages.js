// What the customer of the open job was told or will be, how that went, and another message when one is needed.

import { post } from "./api.js";
import { element, showList } from "./lists.js";
import { Once, isSecond } from "./once.js";
import { telling } from "./telling.js";
import { lower } from "./words.js";

const CLOCKS_DIFFER_S = 60; // the server's and this computer's: what is due within that time goes out now
const COLORS = { queued: "yellow", sending: "yellow", sent: "blue", delivered: "green", failed: "red" };

/** When a message goes or went out, in words. */
export function when({ status, sendAfter, sentAt }, clock) {
  if (sentAt) return clock.now.format(new Date(sentAt));
  return status === "queued" ? `goes out ${clock.now.format(new Date(sendAfter))}` : "";
}

export class DrawerMessages {
  /** @param {import("./drawer.js").Drawer} drawer */
  constructor(drawer) {
    this.drawer = drawer;
    this.section = drawer.dialog.querySelector(".messages");
    this.once = new Once();
    this.section.addEventListener("click", (event) => {
      const button = !isSecond(event) && event.target.closest("button");
      if (!button) return;
      if (button.dataset.action === "take-back") this.takeBack(button.dataset.message);
      if (button.dataset.action === "send") this.send(this.section.querySelector("select").value);
    });
  }

  show({ messages }) {
    this.wait = messages.some(({ status }) => ["queued", "sending"].includes(status));
    const focused = document.activeElement;
    showList(this.section.querySelector("ul"), messages, (message) => this.item(message));
    this.section.querySelector(".none").hidden = messages.length > 0;
    if (focused.matches("[data-action=take-back]") && !focused.isConnected) this.section.querySelector("h3").focus();
  }

  item(message) {
    const { clock, board } = this.drawer;
    const status = element("span", "state", message.says);
    status.dataset.color = COLORS[message.status] || "grey";
    const facts = [board.kinds.channels[message.channel], when(message, clock)].filter(Boolean).join(" · ");
    const made = element("li", "entry", element("strong", "", message.label), status, element("span", "soft", facts));
    if (message.error) made.append(element("span", "why", message.error));
    if (message.text) made.append(element("details", "", element("summary", "", "What it says"), element("p", "letter", message.text)));
    if (message.status === "queued" && board.mayEdit) made.append(this.button(message));
    return made;
  }

  button({ id, label, channel }) {
    const made = element("button", "button", "Take back");
    made.type = "button";
    made.setAttribute("aria-label", `Take back: ${label}, ${lower(this.drawer.board.kinds.channels[channel])}`);
    made.dataset.action = "take-back";
    made.dataset.message = id;
    return made;
  }

  takeBack(id) {
    return this.drawer.command((path) => post(`${path}/messages/${id}/cancel`), () => "The message is taken back.");
  }

  /** Once, also when it is sent again because the answer got lost, as long as the list does not show it. */
  send(kind) {
    const known = new Set(this.drawer.job.messages.map(({ id }) => id));
    const matter = [this.drawer.job.id, kind, ...known].join(" ");
    const send = (path) => this.once.ask(matter, (key) => post(`${path}/messages`, { kind }, key));
    return this.drawer.command(send, ({ messages }) => {
      const made = messages.filter(({ id }) => !known.has(id));
      return telling(made, new Date().toISOString(), CLOCKS_DIFFER_S, this.drawer.clock) || "The message is sent.";
    });
  }
}
