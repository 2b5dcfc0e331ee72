// The photos of the open job: small pictures that lead to the large ones, new ones, and taking one away.

import { remove, upload } from "./api.js";
import { ask } from "./dialogs.js";
import { element, showList } from "./lists.js";
import { announce } from "./notices.js";

export class DrawerPhotos {
  /** @param {import("./drawer.js").Drawer} drawer */
  constructor(drawer) {
    this.drawer = drawer;
    this.section = drawer.dialog.querySelector(".photos");
    this.files = this.section.querySelector("input[type=file]");
    this.bar = this.section.querySelector("progress");
    this.files?.addEventListener("change", () => this.send());
    this.section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=remove-photo]");
      if (button) this.remove(button.dataset.photo);
    });
  }

  show(job) {
    if (this.shown !== job.id) this.report([]);
    this.shown = job.id;
    const focused = document.activeElement;
    showList(this.section.querySelector("ul"), job.photos, (photo) => this.item(job, photo));
    this.section.querySelector(".none").hidden = job.photos.length > 0;
    if (focused.matches("[data-action=remove-photo]") && !focused.isConnected) this.section.querySelector("h3").focus();
  }

  item(job, photo) {
    const { clock, board } = this.drawer;
    const label = board.kinds.photos[photo.kind] || photo.kind;
    const source = `/jobs/${encodeURIComponent(job.id)}/photos/${encodeURIComponent(photo.id)}.jpg`;
    const picture = Object.assign(document.createElement("img"), { src: `${source}?size=thumb`, alt: "", loading: "lazy" });
    const link = element("a", "", picture, element("span", "", label));
    Object.assign(link, { href: source, target: "_blank", rel: "noopener" });
    if (photo.at) link.title = [clock.now.format(new Date(photo.at)), photo.by].filter(Boolean).join(" · ");
    const made = element("li", "", link);
    if (board.mayEdit) made.append(this.button(photo, label));
    return made;
  }

  button({ id }, label) {
    const made = element("button", "button quiet", "Delete");
    made.type = "button";
    made.setAttribute("aria-label", `Delete the photo: ${label}`);
    made.dataset.action = "remove-photo";
    made.dataset.photo = id;
    return made;
  }

  /** One after the other, so that a slow line finishes something. What fails says so by its name; the others go on. */
  async send() {
    const { id } = this.drawer.job;
    const [files, kind, failed] = [[...this.files.files], this.section.querySelector("select").value, []];
    this.busy(true);
    this.report([]);
    for (const [at, file] of files.entries()) {
      this.section.querySelector('[data-slot="sending"]').textContent = `Photo ${at + 1} of ${files.length}`;
      const form = new FormData();
      form.append("kind", kind);
      form.append("file", file);
      try {
        await upload(`/jobs/${encodeURIComponent(id)}/photos`, form, (part) => (this.bar.value = (at + part) / files.length));
      } catch (problem) {
        failed.push(`${file.name}: ${problem.message}`);
      }
    }
    this.files.value = "";
    this.busy(false);
    if (this.drawer.job?.id !== id) return;
    this.report(failed);
    const done = files.length - failed.length;
    if (done) announce(done === 1 ? "The photo is added." : `${done} photos are added.`);
    await this.drawer.look();
  }

  busy(busy) {
    this.files.disabled = busy;
    this.bar.value = 0;
    this.section.querySelector(".sending").hidden = !busy;
  }

  report(failed) {
    const place = this.section.querySelector('[data-slot="failed"]');
    if (place) place.replaceChildren(...failed.map((text) => element("span", "why", text)));
  }

  async remove(id) {
    const sure = await ask(document.getElementById("sure-dialog"), {
      title: "Delete this photo?",
      said: "It is gone for everybody, also for the customer.",
      go: "Delete it",
    });
    if (sure !== "go") return;
    await this.drawer.command((path) => remove(`${path}/photos/${encodeURIComponent(id)}`), () => "The photo is deleted.");
  }
}
