// The customer's page, live. The address is the one the customer was sent; what the edge rewrites it to is never seen here.

import { offerDialogs } from "./ask.js";
import { OVER, fresh, isOld, replacePage, show, shown, thank, wait, warn } from "./draw.js";
import { follow } from "./news.js";
import { translatePage, words } from "./words.js";

const page = document.getElementById("job");
const token = location.pathname.split("/")[2];
const { api } = page.dataset;
const address = `${api}/api/v1/track/${token}`;

const gone = () => replacePage(words.page.notFound, words.page.notFoundNext);
const ended = () => replacePage(words.page.ended, words.page.endedNext);
const isOver = () => OVER.includes(shown.status);

if ("shell" in page.dataset) {
  translatePage();
  wait();
}

const look = follow({ token, api }, {
  show: (job) => show(job, address),
  epoch: () => shown.epoch,
  fresh, warn, gone, ended, isOld, isOver,
});
if ("shell" in page.dataset) look();

offerDialogs(`${address}/asks`, {
  done(kind, job) {
    show(job, address);
    fresh();
    thank(kind);
  },
  gone,
  ended,
});
