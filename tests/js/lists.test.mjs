// Lists that change as little as they can. Run by tests/js/test_lists.py; a page is not needed, only what has children.

import assert from "node:assert/strict";
import test from "node:test";

const { arrange } = await import(`${process.env.BOARD}/lists.js`);

/** As much of an element as `arrange` uses. It keeps the names of those that were taken out or put in while they were in it. */
class List {
  constructor(names) {
    this.all = new Map();
    this.children = [];
    this.touched = [];
    for (const name of names) this.children.push(this.child(name));
  }

  child(name) {
    if (!this.all.has(name)) this.all.set(name, new Child(this, name));
    return this.all.get(name);
  }

  get firstElementChild() {
    return this.children[0] || null;
  }

  insertBefore(child, before) {
    if (this.children.includes(child)) child.remove();
    const at = before ? this.children.indexOf(before) : this.children.length;
    assert.notEqual(at, -1);
    this.children.splice(at, 0, child);
  }
}

class Child {
  constructor(list, name) {
    Object.assign(this, { list, name });
  }

  get nextElementSibling() {
    return this.list.children[this.list.children.indexOf(this) + 1] || null;
  }

  remove() {
    this.list.children.splice(this.list.children.indexOf(this), 1);
    this.list.touched.push(this.name);
  }
}

function arranged(from, to) {
  const list = new List(from);
  arrange(list, [...to].map((name) => list.child(name)));
  assert.equal(list.children.map(({ name }) => name).join(""), to);
  return list.touched.join("");
}

test("what stays is not touched", () => {
  for (const [from, to, touched] of [
    ["ABCD", "ABCD", ""],
    ["ABCD", "XABCD", ""],
    ["ABCD", "BCD", "A"],
    ["ABCD", "ABD", "C"],
    ["ABCD", "BCDA", "A"],
    ["ABCD", "ACDB", "B"],
    ["ABCD", "DABC", "D"],
    ["ABCD", "BACD", "A"],
    ["ABCD", "AXCD", "B"],
    ["ABCD", "", "ABCD"],
    ["", "ABCD", ""],
  ]) assert.equal(arranged(from, to), touched, `${from} → ${to}`);
});

test("every order is reached", () => {
  const orders = (names) => (names.length < 2 ? [names] : [...names].flatMap((name) => orders(names.replace(name, "")).map((rest) => name + rest)));
  for (const from of orders("ABCDE")) {
    for (const to of [...orders("ABCDE"), ...orders("XBYD")]) arranged(from, to);
  }
});
