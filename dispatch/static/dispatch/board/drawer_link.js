// The tracking link of the open job: copied, sent, or replaced when it reached the wrong people.

import { post } from "./api.js";
import { ask } from "./dialogs.js";
import { toast } from "./notices.js";
import { isSecond } from "./once.js";

export class DrawerLink {
  /** @param {import("./drawer.js").Drawer} drawer */
  constructor(drawer) {
    this.drawer = drawer;
    this.link = drawer.dialog.querySelector('[data-slot="link"]');
    const actions = { copy: () => this.copy(), "send-link": () => drawer.messages.send("link"), "replace-link": () => this.replace() };
    drawer.dialog.addEventListener("click", (event) => isSecond(event) || actions[event.target.closest("[data-action]")?.dataset.action]?.());
  }

  show({ token }) {
    this.link.href = this.link.textContent = this.drawer.board.track + token;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.link.href);
      toast("The tracking link is copied.", { color: "green", icon: "check" });
    } catch {
      window.prompt("Copy this link:", this.link.href);
    }
  }

  async replace() {
    const sure = await ask(document.getElementById("sure-dialog"), {
      title: "Replace the tracking link?",
      said: "The old link stops working at once, also for the customer. Send them the new one afterwards.",
      go: "Replace the link",
    });
    if (sure !== "go") return;
    await this.drawer.command((path) => post(`${path}/link`), () => "The link is replaced. The old one no longer works.");
  }
}
