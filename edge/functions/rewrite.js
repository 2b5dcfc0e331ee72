// CloudFront Functions 2.0, viewer request: /track/<token> and /book/<step> are two static pages; everything else passes.
// A throw would be a 503 for the visitor, so nothing is decoded, only matched. The browser keeps the address it asked for.
'use strict';

// The end is written (?![\s\S]): some engines let $ match before a last line break, too.
var ROUTE = /^\/(track|book)(?:\/([\s\S]*))?(?![\s\S])/;
var PAGES = {
  track: { uri: '/track.html', parameter: 'token', value: /^[A-Za-z0-9_-]{8,64}(?![\s\S])/, first: '' },
  book: { uri: '/book.html', parameter: 'step', value: /^(?:where|what|photos|when|contact|check|done)(?![\s\S])/, first: 'where' }
};

function handler(event) {
  var request = event.request;
  var match = ROUTE.exec(request.uri);
  if (!match) {
    return request;
  }
  var page = PAGES[match[1]];
  var value = match[2] ? match[2].replace(/\/(?![\s\S])/, '') : page.first;
  if (!page.value.test(value)) {
    request.uri = '/404.html';
    return request;
  }
  var query = request.querystring || {};
  delete query[page.parameter]; // ours goes last: a viewer may spell it %74oken, and readers take the last one
  query[page.parameter] = { value: value };
  request.uri = page.uri;
  request.querystring = query;
  return request;
}
