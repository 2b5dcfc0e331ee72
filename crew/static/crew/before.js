// What stays on this phone when the plan goes: that somebody was signed in, and the number of the office. Both say nothing
// about anybody.

const NAME = "crew-office";

/** The office's number, perhaps ""; null on a phone that nobody has signed in. */
export function officeBefore() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null; // the browser keeps nothing
  }
}

export function keepOffice(number) {
  try {
    if (officeBefore() !== number) localStorage.setItem(NAME, number);
  } catch {
    return; // then the number is not there when it is needed
  }
}
