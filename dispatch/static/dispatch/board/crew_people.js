// Who goes out: gives places to people of the roster, takes them back, answers who asks to be released.

import { post, remove } from "./api.js";
import { ask } from "./dialogs.js";
import { crew, firstName, free, places, roleName, roles } from "./crew_words.js";
import { element } from "./lists.js";
import { announce, toast } from "./notices.js";
import { isSecond } from "./once.js";

export class CrewPeople {
  /** @param {import("./crew_store.js").CrewStore} crews  @param {() => void} changed  draws the lanes again */
  constructor(crews, changed) {
    Object.assign(this, { crews, changed });
    this.dialog = document.getElementById("people-dialog");
    this.override = this.dialog.querySelector(".override");
    this.dialog.addEventListener("click", (click) => {
      const { action, role, member } = (!isSecond(click) && click.target.closest("[data-action]")?.dataset) || {};
      if (action === "assign") this.assign({ role, member: this.select(role).value });
      if (action === "assign-anyway") this.assign(this.wanted, this.override.querySelector("textarea").value.trim());
      if (action === "take-off") this.takeOff(member);
    });
    this.dialog.addEventListener("close", () => (this.id = null));
  }

  open(id) {
    this.id = id;
    this.refused("");
    this.show();
    this.dialog.showModal();
  }

  /** Also after news. What is chosen stays chosen. */
  show() {
    const event = this.crews.events.get(this.id);
    if (!event) return;
    this.slot("title").textContent = event.title;
    const version = JSON.stringify([event, this.crews.members]);
    if (version === this.version && this.slot("places").children.length) return;
    this.version = version;
    const chosen = Object.fromEntries(roles.map((role) => [role, this.select(role)?.value]));
    const at = this.dialog.contains(document.activeElement) && document.activeElement;
    this.slot("places").replaceChildren(...roles.map((role) => this.role(event, role, chosen[role])));
    if (at && !at.isConnected) this.again(at);
  }

  again({ dataset, id }) {
    const same = id ? document.getElementById(id) : this.dialog.querySelector(`[data-action="${dataset.action}"][data-role="${dataset.role}"]`);
    (same?.disabled === false ? same : this.dialog.querySelector("h2")).focus();
  }

  role(event, role, chosen) {
    const { places: number, people } = places(event, role);
    const heading = element("h3", "", `${roleName(role)} `, element("span", "soft", number ? `${people.length} of ${number}` : "no places"));
    const list = element("ul", "crew-people", ...people.map((person) => this.person(person)));
    return element("section", "", heading, list, free(event, role) ? this.picker(event, role, chosen) : "");
  }

  person(person) {
    const made = button("take-off", `Take ${firstName(person)} off`);
    made.dataset.member = person.id;
    return element("li", "", element("strong", "", person.name), made);
  }

  /** Who of the roster may have such a place. */
  roster(role) {
    return this.crews.members.filter((one) => one[role === "captain" ? "canCaptain" : "canFirstMate"]);
  }

  /** Nobody is left who could be assigned: everybody is there, or there is nobody. Who may, is shown where people are added. */
  nobody(role) {
    const name = roleName(role).toLowerCase();
    const said = this.roster(role).length ? `Every ${name} on the roster is on this event.` : `Nobody on the roster is a ${name} yet.`;
    const { members } = this.dialog.dataset;
    if (!members) return element("p", "soft", said);
    const link = element("a", "", "Add people in Members");
    link.href = members;
    return element("p", "soft", said, " ", link);
  }

  picker(event, role, chosen) {
    const there = new Set(crew(event).map(([, { id }]) => id));
    const may = this.roster(role).filter(({ id }) => !there.has(id));
    if (!may.length) return this.nobody(role);
    const select = element("select", "", ...may.map(({ id, name }) => new Option(name, id)));
    select.id = `people-${role}`;
    if (may.some(({ id }) => id === chosen)) select.value = chosen;
    const label = element("label", "only-read", roleName(role));
    label.htmlFor = select.id;
    const go = button("assign", "Assign");
    go.dataset.role = role;
    go.setAttribute("aria-label", `Assign as ${roleName(role).toLowerCase()}`);
    return element("p", "row", label, select, go);
  }

  /** A refusal because they are elsewhere can be overridden by saying why. */
  async assign(wanted, reason = "") {
    this.wanted = wanted;
    const answer = await this.send("/assign", { ...wanted, reason });
    if (!answer) return;
    this.refused("");
    const name = this.crews.members.find(({ id }) => id === wanted.member)?.name;
    announce(`${name} is ${roleName(wanted.role).toLowerCase()} of ${answer.title}.`);
  }

  async send(path, body) {
    try {
      const { event } = await post(`/events/${encodeURIComponent(this.id)}${path}`, body);
      return this.now(event);
    } catch (problem) {
      if (problem.event) this.now(problem.event);
      this.refused(problem.message, problem.code === "overlaps");
      return null;
    }
  }

  /** @param {boolean} mayOverride  whether a reason would help */
  refused(said, mayOverride = false) {
    this.slot("said").textContent = said && said.replace(/\.?$/, ".");
    this.slot("said").hidden = !said;
    this.override.hidden = !mayOverride;
    if (!mayOverride) this.override.querySelector("textarea").value = "";
    else this.override.querySelector("textarea").focus();
  }

  async takeOff(member) {
    const event = this.crews.events.get(this.id);
    const person = event && crew(event).map(([, one]) => one).find(({ id }) => id === member);
    if (!person) {
      this.gone(member);
      return;
    }
    const why = await this.why(`Take ${firstName(person)} off ${event.title}?`, "They are told, with what you write here.", "Take off");
    if (why !== null) await this.release(event, person, why);
  }

  /** A colleague was faster. */
  gone(member) {
    const name = this.crews.members.find(({ id }) => id === member)?.name || "This person";
    this.show();
    this.refused(`${name} is not on this event any more`);
  }

  async release(event, person, reason) {
    await this.command(() => remove(`/events/${event.id}/assignments/${person.id}?reason=${encodeURIComponent(reason)}`), `${person.name} is off ${event.title}.`);
  }

  async keep(event, person) {
    await this.command(() => post(`/events/${event.id}/decline/${person.id}`, {}), `${person.name} stays on ${event.title}.`);
  }

  async command(run, said) {
    try {
      this.now((await run()).event);
      announce(said);
      toast(said, { color: "green", icon: "check" });
    } catch (problem) {
      toast(problem.message);
    }
  }

  /** Asks why. Null: they changed their mind. */
  async why(title, said, go, required = false) {
    const dialog = document.getElementById("why-dialog");
    const text = dialog.querySelector("textarea");
    Object.assign(text, { value: "", required });
    return (await ask(dialog, { title, said, go })) === "go" ? text.value.trim() : null;
  }

  now(event) {
    this.crews.applyEvent(event);
    this.changed();
    return event;
  }

  select(role) {
    return document.getElementById(`people-${role}`);
  }

  slot(name) {
    return this.dialog.querySelector(`[data-slot="${name}"]`);
  }
}

function button(action, text) {
  const made = element("button", "button", text);
  made.type = "button";
  made.dataset.action = action;
  return made;
}
