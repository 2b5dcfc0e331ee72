export const english = {
  language: "en",
  locale: "en-US",
  app: "Crew",
  tabs: { today: "Today", events: "Events", week: "My week", hours: "Hours" },
  loading: "One moment, we are getting your plan.",
  days: { today: "Today", tomorrow: "Tomorrow" },
  skip: "Skip to the content",
  sections: "Sections",
  day: "Day",

  bar: {
    live: "Live", polling: "Online", connecting: "Connecting", offline: "No network",
    asOf: "Plan from {time}", never: "No plan on this phone yet",
  },
  storage: {
    title: "This phone cannot keep your plan", text: "The browser says: {reason}",
    help: "Do not use a private window, free some space on the phone, and open this page again.",
    office: "Until then, call the office: they tell you your plan and write down what you did.", again: "Try again",
  },
  waiting: { one: "1 waiting", other: "{count} waiting" },
  problems: { one: "1 needs you", other: "{count} need you" },

  signIn: {
    title: "Sign in to see your plan",
    text: "We send a link to your phone. Open it here, on this phone.",
    again: "You are signed out on this phone",
    kept: "What you did is safe on this phone. It is sent as soon as you sign in again.",
    button: "Get a link to sign in",
  },

  statuses: {
    requested: "Requested", scheduled: "Scheduled", ready_for_pickup: "Ready for pickup", en_route: "On the way",
    in_progress: "In progress", completed: "Completed", cancelled: "Cancelled",
  },
  moves: { en_route: "On the way", in_progress: "Start loading", completed: "Completed" },
  services: { junk_removal: "Junk removal", dumpster_delivery: "Dumpster delivery", dumpster_pickup: "Dumpster pickup" },
  roles: { captain: "Captain", first_mate: "First mate" },
  kinds: { before: "Before", after: "After", ticket: "Dump ticket", access: "No access" },

  today: {
    none: "Nothing is planned for you today.", noneTomorrow: "Nothing is planned for you tomorrow.",
    look: "See open events", allDone: "All jobs are done. Thank you!", noJobs: "No jobs yet. They show up here.",
    progress: "{done} of {all} done", later: "The jobs in order", cancelled: "This event is cancelled.",
  },
  job: {
    call: "Call", text: "Text", navigate: "Navigate", access: "Getting in", notes: "Notes", anyTime: "Any time",
    load: "{load} truck", place: "Stop {place}", noPhone: "No phone number",
    waiting: "Waiting to be sent", noAccess: "No access", reported: "“No access” is reported",
    note: "Note", photos: "Photos", noNext: "The office takes the next step.", over: "This job is over.",
  },
  ask: {
    cancel: "Cancel", note: "A note for the office", noteText: "What should they know?", send: "Save note",
    noAccess: "No access", why: "What is in the way?", more: "Tell the office more (optional)", report: "Report no access",
    photo: "Photo of it (optional)", photoTaken: "Photo is taken", empty: "Please write something.",
    pick: "Please choose what is in the way.",
    release: "Give this place back?", releaseText: "Somebody else can claim it then.", giveBack: "Give it back",
    releaseLate: "It is too late to give it back yourself. The office decides; tell them why.", asking: "Ask the office",
    signOut: "Sign out on this phone?", signOutText: "The plan is removed from this phone.",
    signOutWaiting: "{waiting}: this stays on the phone and is sent when you sign in again.", signOutGo: "Sign out",
  },
  reasons: {
    nobody: "Nobody is there", locked: "Gate or door is locked", blocked: "Truck cannot get in",
    wrong: "Wrong address", unsafe: "Not safe", other: "Something else",
  },

  events: {
    none: "No events in the next two weeks.", claim: "Claim this place", claiming: "One moment…", yours: "You are on it",
    release: "Give it back", askRelease: "Ask to be released", asked: "You asked to be released. The office decides.",
    takenBy: "Taken by {name} {ago}", taken: "Taken", free: { one: "1 place free", other: "{count} places free" },
    places: "First mates", captains: "Captains", nobody: "nobody yet", offline: "Needs a network: the first one gets it.",
    cancelled: "Cancelled", over: "Over", you: "you", jobs: { one: "1 job", other: "{count} jobs" }, claimed: "It is yours.",
    released: "You gave it back.", releaseSent: "The office has your request.",
  },
  week: { none: "You are on no event in the next seven days." },
  hours: {
    in: "Clock in", out: "Clock out", since: "Since {time}", off: "You are clocked out", on: "You are clocked in",
    phone: "This phone", signedIn: "Signed in as {name}", signOut: "Sign out", board: "Times are {zone}.",
    phones: "My phones", office: "Call the office", needsNetwork: "Signing out needs a network.",
    kept: "Nothing is lost when you close this page: what waits is sent later.",
  },

  queue: {
    title: "Waiting to be sent", none: "Everything is sent.", back: "Back", sendNow: "Send now", at: "at {time}",
    offline: "Sent by itself when there is a network.", discard: "Discard mine", keep: "Do it anyway", dismiss: "Understood",
    conflict: "Somebody was faster. The job is now: {status}.", refused: "The office did not take this.",
    trying: "Not sent yet, trying again.", stays: "Waits for the one above.",
    move: "{what}", note: "Note: {text}", no_access: "No access: {text}", photo: "Photo: {what}", in: "Clock in", out: "Clock out",
  },

  told: {
    noRoom: "This phone has no room left, so this was not kept. Free some space and try again.",
    unreachable: "No network. Try again when you are online.", error: "The server answered with an error ({status}).",
    kept: "Kept. It is sent when there is a network.", dismiss: "Close",
  },
  ago: { now: "just now", seconds: "{n} s ago", minutes: "{n} min ago", hours: "{n} h ago", days: "{n} d ago" },
  elapsed: "{hours} h {minutes} min",
  noon: { AM: "AM", PM: "PM" },
};
