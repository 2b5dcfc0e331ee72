// The day, the last day and the hours in the form of an event: they move together.

import { dayAfter, daysBetween } from "./crew_words.js";

const MISSING = {
  day: ["day", "Which day?"], from: ["start", "When does it begin?"], lastDay: ["lastDay", "Which day is the last?"], until: ["end", "When does it end?"],
};

export class CrewDays {
  /** @param {{day: Field, from: Field, lastDay: Field, until: Field}} fields  @typedef {{value: string}} Field */
  constructor(fields) {
    this.fields = fields;
    for (const name of Object.keys(MISSING)) fields[name].addEventListener("input", () => this.changed(name));
  }

  /** Takes what the fields say for what is meant. */
  begin() {
    const { from, until } = this.fields;
    this.measure();
    this.isNight = this.length === 1 && until.value <= from.value; // the next day only because it ends before it begins
  }

  measure() {
    const { day, lastDay } = this.fields;
    if (day.value && lastDay.value) this.length = Math.max(0, daysBetween(day.value, lastDay.value));
  }

  /** Another day keeps the length. What ends before it begins, on one day, ends on the next one. */
  changed(name) {
    const { day, from, lastDay, until } = this.fields;
    if (name === "lastDay") {
      this.isNight = false;
      this.measure();
    } else if (name === "day") {
      if (day.value) lastDay.value = dayAfter(day.value, this.length);
    } else if (day.value && from.value && until.value) {
      this.hours();
    }
  }

  hours() {
    const { day, from, lastDay, until } = this.fields;
    const isBackwards = until.value <= from.value;
    const becomesNight = isBackwards && lastDay.value === day.value;
    if (!becomesNight && (isBackwards || !this.isNight)) return;
    lastDay.value = dayAfter(day.value, Number(becomesNight));
    this.isNight = becomesNight;
    this.measure();
  }

  /** What is not filled in, beside its field; null when everything is. */
  missing() {
    const empty = Object.entries(MISSING).filter(([name]) => !this.fields[name].value);
    return empty.length ? Object.fromEntries(empty.map(([, [field, said]]) => [field, [said]])) : null;
  }
}
