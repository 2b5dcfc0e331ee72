// Whether moves tell customers: a switch for the whole board, kept in this browser, and a line as long as it is off.

const OFF = "customers-not-told";

export class Tell {
  constructor() {
    this.switch = document.querySelector("[data-action=tell]");
    this.line = document.getElementById("not-told");
    this.switch?.addEventListener("click", () => this.set(!this.on));
    this.line?.querySelector("button").addEventListener("click", () => this.set(true));
    window.addEventListener("storage", (event) => event.key === OFF && this.show());
    this.show();
  }

  get on() {
    return !localStorage.getItem(OFF);
  }

  set(on) {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
    if (this.line.contains(document.activeElement)) this.switch.focus();
    this.show();
  }

  show() {
    this.switch?.setAttribute("aria-checked", this.on);
    if (this.line) this.line.hidden = this.on;
  }
}
